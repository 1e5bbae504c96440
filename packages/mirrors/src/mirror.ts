import type {
  AnyRecord,
  Fields,
  mirrorEndpointsOf,
  RecordDeclaration,
  Transitions,
  ValuesOf,
} from '@marimo/contracts/records';
import { type RecordValues, type StoredField, snake, storedFields } from '@marimo/records';

type MirrorEndpoint = ReturnType<typeof mirrorEndpointsOf<string, Fields, string, Transitions>>['mirror'];

/** A service's copy of some fields of another service's records, in a table of its own. */
export interface Mirror<Copy = unknown> {
  /** The original. */
  readonly record: AnyRecord;
  /** By which the other service gives them. */
  readonly endpoint: MirrorEndpoint;
  readonly table: string;
  /** The fields that are asked for. */
  readonly fields: readonly string[];
  /** The same as columns. */
  readonly stored: readonly StoredField[];
  fromRow(row: RecordValues): Copy;
}

/** A copy in code. */
export type CopyOf<Name extends string, F extends Fields, State extends string, K extends keyof F> = {
  readonly [I in `${Name}Id`]: string;
} & Pick<ValuesOf<F>, K> & { readonly archived: boolean; readonly version: number } & ([State] extends [never]
    ? unknown
    : { readonly state: State });

/**
 * Declares a mirror of the record of a contract's module, of which the module exports `mirror`. Its table is a migration of
 * the service: `tenant_id`, the id, `version`, `archived`, `state` if the record has states, and the columns of the fields, as
 * the record's own table has them.
 */
export function mirrorOf<
  Name extends string,
  F extends Fields,
  State extends string,
  T extends Transitions,
  const K extends keyof F & string,
>(
  module: {
    readonly record: RecordDeclaration<Name, F, State, T>;
    readonly mirror: { readonly path: string };
  },
  { fields, table }: { readonly fields: readonly K[]; readonly table: string },
): Mirror<CopyOf<Name, F, State, K>> {
  const record = module.record as unknown as AnyRecord;
  const names = [...fields, ...(record.states.length > 0 ? ['state'] : []), 'archived'];
  const stored = names.map((name) => {
    const [column] = storedFields({ [name]: record.grammar.fields[name] } as Fields);
    if (column === undefined) throw new Error(`${record.fullName}: the lines ${name} cannot be mirrored`);
    return column;
  });
  return {
    record,
    endpoint: module.mirror as MirrorEndpoint,
    table,
    fields: names,
    stored,
    // Built field by field; what they come to, the type above says.
    fromRow: (row) =>
      ({
        [record.idField]: row[snake(record.idField)],
        ...Object.fromEntries(stored.map((field) => [field.name, field.fromRow(row)])),
        version: row['version'],
      }) as CopyOf<Name, F, State, K>,
  };
}

export function idOf({ record }: Mirror, values: RecordValues): string {
  return values[record.idField] as string;
}
