import { type EarlierDatabase, earlierDatabase } from '@marimo/testing';

const schema = 'users';
const pine = '01920000-0000-7000-8000-00000000000a';
const oak = '01920000-0000-7000-8000-00000000000b';
const anna = '01920000-0000-7000-8000-000000000001';
const boris = '01920000-0000-7000-8000-000000000002';
const joined = '2026-01-02T03:04:05.678Z';

/** As it was when roles were a list on the member. */
let old: EarlierDatabase;
beforeAll(async () => {
  old = await earlierDatabase(schema, new URL('../../../migrations/', import.meta.url), '0003');
});
afterAll(() => old?.drop());

describe('migrating organisations whose roles were a list on the member', () => {
  it('keeps each role, each membership and the organisations of each person', async () => {
    for (const tenant of [pine, oak]) {
      await old.sql(
        `insert into organisation (tenant_id, name, base_currency, language, registered_at)
         values ($1, 'Pine', 'RUB', 'ru', $2)`,
        [tenant, joined],
      );
    }
    for (const person of [anna, boris]) {
      await old.sql(
        `insert into person (person_id, email, email_key, name, language, password_hash, last_tenant_id, last_seen_at)
         values ($1, $2, $2, 'Anna', 'ru', 'hash', $3, $4)`,
        [person, `${person}@example.com`, pine, joined],
      );
    }
    const members: [string, string, string[]][] = [
      [pine, anna, ['admin']],
      [pine, boris, ['accountant', 'user']],
      [oak, anna, []],
      [oak, boris, ['admin', 'agent']],
    ];
    for (const [tenant, person, roles] of members) {
      await old.sql('insert into member (tenant_id, person_id, roles, joined_at) values ($1, $2, $3, $4)', [
        tenant,
        person,
        roles,
        joined,
      ]);
    }

    await old.bringUpToDate();

    const assigned = await old.sql<Record<string, unknown>>(
      `select tenant_id, person_id, role, valid_from, valid_until, granted_at, granted_by, revoked_at
         from role_assignment order by tenant_id, person_id, role`,
    );
    const given = (tenant: string, person: string, role: string) => ({
      tenant_id: tenant,
      person_id: person,
      role,
      valid_from: new Date(joined),
      valid_until: null,
      granted_at: new Date(joined),
      granted_by: null,
      revoked_at: null,
    });
    expect(assigned).toEqual([
      given(pine, anna, 'admin'),
      given(pine, boris, 'accountant'),
      given(pine, boris, 'user'),
      given(oak, boris, 'admin'),
      given(oak, boris, 'agent'),
    ]);
    const begun = members.map(([tenant, person]) => ({ tenant_id: tenant, person_id: person }));
    expect(
      await old.sql(
        `select tenant_id, person_id from member_period where began_at = $1 and ended_at is null
          order by tenant_id, person_id`,
        [joined],
      ),
    ).toEqual(begun);
    expect(await old.sql('select tenant_id, person_id from workplace order by tenant_id, person_id')).toEqual(
      begun,
    );
    expect(await old.sql('select distinct state from member')).toEqual([{ state: 'active' }]);
  });

  it('restores row-level security: the owner is bound by the policies', async () => {
    const lifted = await old.sql(
      `select relname from pg_class
        where relnamespace = $1::regnamespace and relkind = 'r' and relrowsecurity and not relforcerowsecurity`,
      [schema],
    );
    expect(lifted).toEqual([]);
    const seen = await old
      .open(schema, 'app')
      .inTenant(oak, (tx) => tx.rows('select role from role_assignment order by role'));
    expect(seen).toEqual([{ role: 'admin' }, { role: 'agent' }]);
  });
});
