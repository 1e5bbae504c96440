import { type EarlierDatabase, earlierDatabase } from '@marimo/testing';

const pine = '01920000-0000-7000-8000-00000000000a';
const oak = '01920000-0000-7000-8000-00000000000b';
const anna = '01920000-0000-7000-8000-000000000001';
const robot = '01920000-0000-7000-8000-000000000002';
const session = '01920000-0000-7000-8000-000000000003';
const since = '2026-01-02T03:04:05.678Z';
const id = (number: number) => `01920000-0000-7000-8000-0000000001${number}`;

/** As it was before buyers, storekeepers, sellers, cashiers and foremen were built in. */
let old: EarlierDatabase;
beforeAll(async () => {
  old = await earlierDatabase('users', new URL('../../../migrations/', import.meta.url), '0017');
  for (const tenant of [pine, oak]) {
    await old.sql(
      `insert into organisation (tenant_id, name, base_currency, language, registered_at)
       values ($1, 'Pine', 'RUB', 'ru', $2)`,
      [tenant, since],
    );
  }
  await old.sql(
    `insert into person (person_id, email, email_key, name, language, password_hash, last_tenant_id, last_seen_at)
     values ($1, 'anna@example.com', 'anna@example.com', 'Anna', 'ru', 'hash', $2, $3)`,
    [anna, pine, since],
  );
  await old.sql('insert into member (tenant_id, person_id, joined_at) values ($1, $2, $3)', [
    pine,
    anna,
    since,
  ]);
  await old.sql(
    `insert into service_account (tenant_id, account_id, name, created_at, created_by)
     values ($1, $2, 'Scale', $3, $4)`,
    [pine, robot, since, anna],
  );
  const ownRoles: [string, string, string | null][] = [
    [pine, 'buyer', null],
    [pine, 'buyer_own', null],
    [pine, 'cashier', since],
    [pine, 'driver', null],
    [oak, 'seller', null],
  ];
  for (const [tenant, name, deletedAt] of ownRoles) {
    await old.sql(
      `with role as (
         insert into own_role (tenant_id, name, title, created_at, deleted_at) values ($1, $2, $2, $3, $4)
       ) insert into own_role_grants (tenant_id, name, since, until, grants)
         values ($1, $2, $3, $4, array[$5 || '.thing.do'])`,
      [tenant, name, since, deletedAt, name],
    );
  }
  const assigned: [number, string | null, string | null, string][] = [
    [10, anna, null, 'buyer'],
    [11, anna, null, 'driver'],
    [12, null, robot, 'buyer'],
    [13, anna, null, 'cashier'],
    [14, anna, null, 'seller'],
  ];
  for (const [number, person, account, role] of assigned) {
    await old.sql(
      `insert into role_assignment (tenant_id, assignment_id, person_id, account_id, role, valid_from, granted_at)
       values ($1, $2, $3, $4, $5, $6, $6)`,
      [pine, id(number), person, account, role, since],
    );
  }
  await old.sql(
    `insert into invitation (tenant_id, invitation_id, link_id, email, email_key, roles, language, invited_by,
                             invited_at, mailed_at, expires_at)
     values ($1, $2, $2, 'b@example.com', 'b@example.com', '{driver,buyer}', 'ru', $3, $4, $4, $4)`,
    [pine, id(20), anna, since],
  );
  await old.sql(
    `insert into sign_in_provider (tenant_id, provider_id, name, issuer, client_id, scopes, roles_claim, roles,
                                   default_roles, create_members, email_domains, trust_second_factor, enabled,
                                   created_at)
     values ($1, $2, 'Keycloak', 'https://id.example', 'erp', '{}', 'roles', '{"b": "buyer", "d": "driver"}',
             '{buyer,user}', true, '{}', false, true, $3)`,
    [pine, id(21), since],
  );
  await old.sql(
    `insert into session (tenant_id, session_id, person_id, client, started_at, last_used_at, expires_at, authenticated_at)
     values ($1, $2, $3, 'test', $4, $4, '2200-01-01', $4)`,
    [pine, session, anna, since],
  );
  await old.bringUpToDate();
});
afterAll(() => old?.drop());

describe('migrating own roles named like new built-in roles', () => {
  it('keeps their grants under a new name that no other role has', async () => {
    expect(
      await old.sql(
        `select r.tenant_id, r.name, r.title, g.grants, r.deleted_at is not null as deleted
           from own_role r join own_role_grants g using (tenant_id, name) order by r.tenant_id, r.name`,
      ),
    ).toEqual([
      {
        tenant_id: pine,
        name: 'buyer_own',
        title: 'buyer_own',
        grants: ['buyer_own.thing.do'],
        deleted: false,
      },
      { tenant_id: pine, name: 'buyer_own_own', title: 'buyer', grants: ['buyer.thing.do'], deleted: false },
      { tenant_id: pine, name: 'cashier_own', title: 'cashier', grants: ['cashier.thing.do'], deleted: true },
      { tenant_id: pine, name: 'driver', title: 'driver', grants: ['driver.thing.do'], deleted: false },
      { tenant_id: oak, name: 'seller_own', title: 'seller', grants: ['seller.thing.do'], deleted: false },
    ]);
  });

  it('keeps them with their holders, in invitations and in mappings of sign-in providers', async () => {
    expect(await old.sql('select role from role_assignment order by assignment_id')).toEqual(
      ['buyer_own_own', 'driver', 'buyer_own_own', 'cashier_own', 'seller'].map((role) => ({ role })),
    );
    expect(await old.sql('select roles from invitation')).toEqual([{ roles: ['driver', 'buyer_own_own'] }]);
    expect(await old.sql('select roles, default_roles from sign_in_provider')).toEqual([
      { roles: { b: 'buyer_own_own', d: 'driver' }, default_roles: ['buyer_own_own', 'user'] },
    ]);
  });

  it('voids access tokens that carry the old names', async () => {
    expect(await old.sql('select session_id from revocation')).toEqual([{ session_id: session }]);
    expect(await old.sql('select roles_version from member')).toEqual([{ roles_version: 2 }]);
    expect(await old.sql('select roles_version from service_account')).toEqual([{ roles_version: 2 }]);
  });

  it('restores the separation of organisations', async () => {
    const lifted = await old.sql(
      `select relname from pg_class
        where relnamespace = 'users'::regnamespace and relkind = 'r' and relrowsecurity and not relforcerowsecurity`,
    );
    expect(lifted).toEqual([]);
  });
});
