import { FileRowRefused } from '@marimo/contracts';
import type { AnyRecord, Field, Fields } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import type { RecordValues } from '../rows.ts';
import type { GivenRecord } from './given-record.ts';
import { idsOf, type Referred, type ReferredRecord } from './referred.ts';

const isId = (text: unknown) =>
  typeof text === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text);

interface Named {
  readonly to: string;
  readonly key: string;
  readonly path: readonly string[];
}

/** Puts ids where the file names other records by their keys; what is not there refuses its row. */
export async function resolveReferences(
  tx: TenantTransaction,
  record: AnyRecord,
  rows: readonly GivenRecord[],
  referred: Referred,
): Promise<GivenRecord[]> {
  const named = new Map(
    rows.map((row) => [row, row.refusal ? [] : namedIn(record.fields, row.given, referred)]),
  );
  const all = [...named.values()].flat();
  if (all.length === 0) return [...rows];
  const known = new Map<string, ReadonlyMap<string, string>>();
  for (const [to, some] of Map.groupBy(all, (each) => each.to)) {
    const keys = [...new Set(some.map(({ key }) => key))];
    known.set(to, await idsOf(tx, referred.get(to) as ReferredRecord, keys));
  }
  return rows.map((row) => {
    const own = named.get(row) ?? [];
    const missing = own.filter(({ to, key }) => !known.get(to)?.has(key));
    if (missing.length > 0) return { ...row, refusal: refusalOf(row, missing) };
    const given = structuredClone(row.given) as Record<string, unknown>;
    for (const { to, key, path } of own) put(given, path, known.get(to)?.get(key));
    return { ...row, given };
  });
}

function namedIn(
  fields: Fields,
  given: RecordValues,
  referred: Referred,
  before: readonly string[] = [],
): Named[] {
  return Object.entries(fields).flatMap(([name, field]: [string, Field]): Named[] => {
    const value = given[name];
    const path = [...before, name];
    if (field.kind === 'lines' && field.fields !== undefined && Array.isArray(value)) {
      const inner = field.fields;
      return value.flatMap((line: RecordValues, place) =>
        namedIn(inner, line, referred, [...path, String(place)]),
      );
    }
    const isNamed = field.kind === 'reference' && typeof value === 'string' && !isId(value);
    return isNamed && referred.has(field.to ?? '') ? [{ to: field.to ?? '', key: value, path }] : [];
  });
}

function put(given: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const holder = path
    .slice(0, -1)
    .reduce<Record<string, unknown>>((each, part) => each[part] as Record<string, unknown>, given);
  holder[path.at(-1) ?? ''] = value;
}

function refusalOf({ line, placeOf }: GivenRecord, missing: readonly Named[]): FileRowRefused {
  return new FileRowRefused({
    cells: missing.map(({ to, key, path }) => ({
      ...(placeOf?.(path) ?? { row: line, column: path.join('.') }),
      detail: `there is no ${(to.split('.')[1] ?? to).replaceAll('-', ' ')} ${JSON.stringify(key)}`,
    })),
  });
}
