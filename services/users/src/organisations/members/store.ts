import { type members, personalData } from '@marimo/contracts/users';
import { containsText, type Transaction } from '@marimo/postgres';

/** Who has left and was erased here has no name here any more, in no list and in no search. SQL over member m, person p. */
export const memberNameSql = `case when m.state = 'left' and m.erased_at is not null then '${personalData.erasedName}' else p.name end`;

/** `$1` is the tenant, `$2` now. Of who has left, the address is not the organisation's any more. */
const member = `
  select m.person_id as id, ${memberNameSql} as name, case when m.state <> 'left' then p.email end as email, m.state,
         array(select distinct a.role from role_assignment a
                where a.tenant_id = m.tenant_id and a.person_id = m.person_id and a.revoked_at is null
                  and a.valid_from <= $2 and (a.valid_until is null or a.valid_until > $2)
                order by a.role) as roles,
         m.joined_at as "joinedAt",
         (select max(s.last_used_at) from session s
           where s.tenant_id = m.tenant_id and s.person_id = m.person_id) as "lastSeenAt"
    from member m
    join person p on p.person_id = m.person_id`;

export interface MemberFilter {
  readonly text?: string | undefined;
  readonly state?: members.MemberState | undefined;
  readonly after: readonly [name: string, id: string] | undefined;
  readonly limit: number;
}

export function listMembers(tx: Transaction, filter: MemberFilter, now: Date): Promise<members.Member[]> {
  const { text, state, after: [name, id] = [], limit } = filter;
  return tx.rows(
    `${member}
      where m.tenant_id = $1
        and ($3::text is null or m.state = $3)
        and ($4::text is null or ${containsText(memberNameSql, '$4')}
             or (m.state <> 'left' and ${containsText('p.email', '$4')}))
        and ($5::text is null or (${memberNameSql}, m.person_id) > ($5, $6::uuid))
      order by ${memberNameSql}, m.person_id
      limit $7`,
    [tx.tenantId, now, state ?? null, text ?? null, name ?? null, id ?? null, limit],
  );
}

export function getMember(tx: Transaction, personId: string, now: Date): Promise<members.Member | undefined> {
  return tx.first(`${member} where m.tenant_id = $1 and m.person_id = $3`, [tx.tenantId, now, personId]);
}

export async function updateState(
  tx: Transaction,
  personId: string,
  state: members.MemberState,
): Promise<void> {
  await tx.run('update member set state = $3 where tenant_id = $1 and person_id = $2', [
    tx.tenantId,
    personId,
    state,
  ]);
}

export async function updatePeriodEnd(tx: Transaction, personId: string, now: Date): Promise<void> {
  await tx.run(
    `update member_period set ended_at = greatest($3, began_at)
      where tenant_id = $1 and person_id = $2 and ended_at is null`,
    [tx.tenantId, personId, now],
  );
}

/** One that ended in this very moment goes on. */
export async function insertPeriod(tx: Transaction, personId: string, now: Date): Promise<void> {
  await tx.run(
    `insert into member_period (tenant_id, person_id, began_at) values ($1, $2, $3)
     on conflict (tenant_id, person_id, began_at) do update set ended_at = null`,
    [tx.tenantId, personId, now],
  );
}

/** The roles of somebody who goes; `by` is empty where nobody decided it. */
export async function updateRolesRevoked(
  tx: Transaction,
  personId: string,
  { by, now }: { readonly by: string | null; readonly now: Date },
): Promise<void> {
  await tx.run(
    `update role_assignment set revoked_at = $3, revoked_by = $4
      where tenant_id = $1 and person_id = $2 and revoked_at is null`,
    [tx.tenantId, personId, now, by],
  );
  await tx.run(
    'update member set roles_version = roles_version + 1 where tenant_id = $1 and person_id = $2',
    [tx.tenantId, personId],
  );
}

/** In the person's own list of places; undefined takes it off. */
export async function updateMembershipState(
  tx: Transaction,
  personId: string,
  state: 'active' | 'suspended' | undefined,
): Promise<void> {
  if (state === undefined) {
    await tx.run('delete from workplace where person_id = $2 and tenant_id = $1', [tx.tenantId, personId]);
    return;
  }
  await tx.run(
    `insert into workplace (person_id, tenant_id, state) values ($2, $1, $3)
     on conflict (person_id, tenant_id) do update set state = excluded.state`,
    [tx.tenantId, personId, state],
  );
}

/** The next sign-in leads to a place where the person can work, if there is one. */
export async function updateLastTenant(tx: Transaction, personId: string): Promise<void> {
  await tx.run(
    `update person set last_tenant_id = coalesce(
         (select tenant_id from workplace where person_id = $1 and state = 'active'
           order by tenant_id = person.last_tenant_id desc, tenant_id limit 1),
         last_tenant_id)
      where person_id = $1`,
    [personId],
  );
}
