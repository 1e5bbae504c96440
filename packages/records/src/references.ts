import { ReferenceUnknown } from '@marimo/contracts';
import type { AnyRecord, Fields } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import type { RecordValues } from './rows.ts';

/** What is known of the records of another service: their ids, and whether they are archived. */
export type LookUp = (
  tx: TenantTransaction,
  ids: readonly string[],
) => Promise<ReadonlyMap<string, { readonly isArchived: boolean }>>;

/** Where references lead that do not stay in the service, by the record's full name: `main.partner`. */
export type LookUps = Readonly<Record<string, LookUp>>;

/** People are known to `users` alone; who is named was signed in, or is checked by the trade. */
const notLookedUp = 'users.person';

/**
 * Holds what records refer to: it exists and is not archived.
 *
 * Errors: ReferenceUnknown for the first that is missing.
 */
export async function requireReferences(
  tx: TenantTransaction,
  record: AnyRecord,
  all: readonly RecordValues[],
  lookUps: LookUps,
): Promise<void> {
  const wanted = referencesIn(record.fields, all).filter(({ to }) => to !== notLookedUp);
  for (const [to, some] of Map.groupBy(wanted, (each) => each.to)) {
    const known = await lookUpOf(record, to, lookUps)(tx, [...new Set(some.map(({ id }) => id))]);
    for (const { field, id } of some) {
      const found = known.get(id);
      if (found !== undefined && !found.isArchived) continue;
      const resource = (to.split('.')[1] ?? to).replaceAll('-', ' ');
      throw new ReferenceUnknown({ field, resource, id, isArchived: found !== undefined });
    }
  }
}

interface Referred {
  readonly field: string;
  readonly to: string;
  readonly id: string;
}

function referencesIn(fields: Fields, all: readonly RecordValues[], before = ''): Referred[] {
  return Object.entries(fields).flatMap(([name, { kind, to, fields: inner }]) =>
    all.flatMap((values): Referred[] => {
      const value = values[name];
      if (inner !== undefined)
        return referencesIn(inner, (value as RecordValues[] | undefined) ?? [], `${name}.`);
      if (kind !== 'reference' || to === undefined || value === null || value === undefined) return [];
      return [{ field: before + name, to, id: value as string }];
    }),
  );
}

function lookUpOf(record: AnyRecord, to: string, lookUps: LookUps): LookUp {
  const elsewhere = lookUps[to];
  if (elsewhere !== undefined) return elsewhere;
  const [service, name = ''] = to.split('.');
  if (service !== record.service)
    throw new Error(`${record.fullName} refers to ${to}, and nobody looks it up`);
  return inTable(name.replaceAll('-', '_'));
}

/** Another record of this service. Shared, so that nobody archives it meanwhile. */
function inTable(table: string): LookUp {
  return async (tx, ids) => {
    const sql = `
      select ${table}_id as id, archived as "isArchived" from ${table}
      where tenant_id = $1 and ${table}_id = any($2) order by ${table}_id for share`;
    const rows = await tx.rows<{ id: string; isArchived: boolean }>(sql, [tx.tenantId, ids]);
    return new Map(rows.map(({ id, isArchived }) => [id, { isArchived }]));
  };
}
