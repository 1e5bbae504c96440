import type { Transaction } from '@marimo/postgres';
import type { Addressee } from '../../identity/self-service/index.ts';

export interface MemberRights {
  readonly personId: string;
  readonly roles: readonly string[];
  readonly grants: readonly string[];
}

/** The rights in force now of every active member who has any. */
export function listMemberRights(tx: Transaction, now: Date): Promise<MemberRights[]> {
  return tx.rows(
    `select m.person_id as "personId", array_agg(distinct a.role) as roles,
            coalesce(array_agg(distinct granted) filter (where granted is not null), '{}') as grants
       from member m
       join role_assignment a on a.tenant_id = m.tenant_id and a.person_id = m.person_id and a.revoked_at is null
                             and a.valid_from <= $2 and (a.valid_until is null or a.valid_until > $2)
       left join own_role_grants g on g.tenant_id = m.tenant_id and g.name = a.role and g.until is null
       left join unnest(g.grants) as granted on true
      where m.tenant_id = $1 and m.state = 'active'
      group by m.person_id`,
    [tx.tenantId, now],
  );
}

/** Of these people, whom a mail goes to and in which language. */
export function listAddressees(tx: Transaction, personIds: readonly string[]): Promise<Addressee[]> {
  return tx.rows(
    `select person_id as "personId", email, name, language from person
      where person_id = any($1)
      order by person_id`,
    [personIds],
  );
}

/** Remembers, outside of any tenant, when the organisation closes by itself. */
export async function updateClosing(tx: Transaction, closesAt: Date): Promise<void> {
  await tx.run(
    `insert into organisation_closing (tenant_id, closes_at) values ($1, $2)
     on conflict (tenant_id) do update set closes_at = excluded.closes_at`,
    [tx.tenantId, closesAt],
  );
}

export async function deleteClosing(tx: Transaction): Promise<void> {
  await tx.run('delete from organisation_closing where tenant_id = $1', [tx.tenantId]);
}

/** Organisations, of all there are, whose time to be reopened has run out. */
export async function listDueToClose(tx: Transaction, now: Date, limit: number): Promise<string[]> {
  const rows = await tx.rows<{ tenantId: string }>(
    `select tenant_id as "tenantId" from organisation_closing where closes_at <= $1 order by closes_at limit $2`,
    [now, limit],
  );
  return rows.map(({ tenantId }) => tenantId);
}

/** Every membership of the organisation ends, with its roles and its open invitations. */
export async function endAllMemberships(tx: Transaction, now: Date): Promise<void> {
  const { tenantId } = tx;
  await tx.run("update member set state = 'left' where tenant_id = $1 and state <> 'left'", [tenantId]);
  await tx.run(
    'update member_period set ended_at = greatest($2, began_at) where tenant_id = $1 and ended_at is null',
    [tenantId, now],
  );
  await tx.run('update role_assignment set revoked_at = $2 where tenant_id = $1 and revoked_at is null', [
    tenantId,
    now,
  ]);
  await tx.run(
    "update invitation set state = 'revoked', ended_at = $2 where tenant_id = $1 and state = 'open'",
    [tenantId, now],
  );
}

/** Nobody's next sign-in leads here any more, but to another place of theirs if they have one. */
export async function deleteWorkplaces(tx: Transaction): Promise<void> {
  await tx.run(
    `with gone as (
       delete from workplace where tenant_id = $1 returning person_id
     ), other as (
       select distinct on (person_id) person_id, tenant_id from workplace
        where person_id in (select person_id from gone) and tenant_id <> $1 and state = 'active'
        order by person_id, tenant_id
     )
     update person set last_tenant_id = other.tenant_id
       from other
      where person.person_id = other.person_id and person.last_tenant_id = $1`,
    [tx.tenantId],
  );
}
