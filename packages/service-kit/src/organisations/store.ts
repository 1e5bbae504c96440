import type { identity } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';

/** What services must know of an organisation. The base currency never changes. */
export type OrganisationFacts = Pick<
  identity.Organisation,
  'name' | 'baseCurrency' | 'language' | 'timeZone'
>;

export function getFacts(tx: Transaction): Promise<OrganisationFacts | undefined> {
  return tx.first<OrganisationFacts>(
    `select name, base_currency as "baseCurrency", language, time_zone as "timeZone"
       from organisation_facts where tenant_id = $1`,
    [tx.tenantId],
  );
}

/** Events may come in any order: an older one changes nothing. */
export async function upsertFacts(tx: Transaction, facts: OrganisationFacts, toldAt: string): Promise<void> {
  const { name, baseCurrency, language, timeZone } = facts;
  await tx.run(
    `insert into organisation_facts as known (tenant_id, name, base_currency, language, time_zone, told_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant_id) do update
       set name = excluded.name, language = excluded.language, time_zone = excluded.time_zone,
           told_at = excluded.told_at
     where known.told_at < excluded.told_at`,
    [tx.tenantId, name, baseCurrency, language, timeZone, toldAt],
  );
}
