import { Absent, builtInRoles, Forbidden, MalformedRequest, Stale } from '@marimo/contracts';
import { permissions } from '@marimo/contracts/all';
import { accessTokens, type identity, limits, roles } from '@marimo/contracts/users';
import { testClock } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import { statusesOf } from '../../../test/race.ts';
import { useUsers } from '../../../test/use-users.ts';

const clock = testClock(new Date().toISOString());
const users = useUsers({ clock: clock.now });
const staff = peopleOf(() => users, clock.now);
let anna: identity.SignedIn;
let as: string;
beforeEach(async () => {
  anna = await staff.organisation();
  as = anna.accessToken;
});

const clerk = { name: 'clerk', title: 'Posting clerk', grants: ['accounting.journal-entry.post'] };
const define = (body = clerk, by = as) => users.call(roles.define, { body }, { as: by });
const change = (name: string, body: object, by = as, headers = {}) =>
  users.call(roles.change, { params: { name }, body }, { as: by, headers });
const remove = (name: string, by = as) => users.call(roles.remove, { params: { name } }, { as: by });
const look = (name: string, by = as) => users.call(roles.get, { params: { name } }, { as: by });
const eventsOf = async (type: string) =>
  (await users.events()).filter((each) => each.type === type && each.tenantid === anna.organisation.id);

describe('the permissions a role can grant', () => {
  it('are those of every service, in both languages', async () => {
    const { items } = (await users.call(roles.listPermissions, {}, { as })).body;
    expect(items.map(({ service }) => service)).toEqual(['accounting', 'users', 'workers']);
    expect(items.flatMap((group) => group.permissions)).toHaveLength(permissions.length);
    for (const { text } of items.flatMap((group) => group.permissions)) {
      expect(text.en).toMatch(/\S/);
      expect(text.ru).toMatch(/[а-я]/);
    }
  });
});

describe('the list of roles', () => {
  it('has built-in and own roles, with the number of holders', async () => {
    await define();
    const boris = await staff.plant(anna);
    await staff.give(as, { memberId: boris.id }, 'clerk');
    const { items } = (await users.call(roles.list, { query: {} }, { as })).body;
    expect(items.map(({ name }) => name)).toEqual([...Object.keys(builtInRoles), 'clerk'].sort());
    expect(items.find(({ name }) => name === 'admin')).toMatchObject({
      builtIn: true,
      title: { en: 'Administrator', ru: 'Администратор' },
      grants: ['*'],
      holders: 1,
    });
    expect(items.find(({ name }) => name === 'clerk')).toEqual({
      name: 'clerk',
      title: { en: 'Posting clerk', ru: 'Posting clerk' },
      builtIn: false,
      grants: ['accounting.journal-entry.post'],
      holders: 1,
    });
  });

  it('is paged', async () => {
    const first = (await users.call(roles.list, { query: { limit: 5 } }, { as })).body;
    const rest = (await users.call(roles.list, { query: { after: first.next ?? '' } }, { as })).body;
    expect([first.items.length, rest.next]).toEqual([5, null]);
    const names = [...first.items, ...rest.items].map(({ name }) => name);
    expect(names).toEqual(Object.keys(builtInRoles).sort());
  });

  it('shows nothing to another organisation', async () => {
    await define();
    const other = await staff.organisation();
    expect(await look('clerk', other.accessToken)).toBeRefused(Absent);
    expect(await change('clerk', { title: 'Mine' }, other.accessToken)).toBeRefused(Absent);
    expect(await remove('clerk', other.accessToken)).toBeRefused(Absent);
    expect((await define({ ...clerk, title: 'Mine' }, other.accessToken)).status).toBe(201);
    expect((await look('clerk')).body.title.en).toBe('Posting clerk');
  });
});

describe('defining a role', () => {
  it('stores each grant once, and can be repeated', async () => {
    const twice = { ...clerk, grants: [...clerk.grants, ...clerk.grants] };
    const made = await define(twice);
    expect([made.status, made.body.grants]).toEqual([201, clerk.grants]);
    expect((await define()).status).toBe(200);
    expect(await eventsOf(roles.defined.type)).toMatchObject([
      { subject: 'clerk', actorid: anna.user.id, data: { role: 'clerk', grants: clerk.grants } },
    ]);
  });

  it('refuses the name of a different role, also of a built-in one', async () => {
    await define();
    expect(await define({ ...clerk, title: 'Cashier' })).toBeRefused(roles.RoleNameTaken, { role: 'clerk' });
    expect(await define({ ...clerk, grants: ['accounting.*'] })).toBeRefused(roles.RoleNameTaken);
    expect(await define({ ...clerk, name: 'admin' })).toBeRefused(roles.RoleNameTaken, { role: 'admin' });
  });

  it.each([
    ['everything', ['*']],
    ['nothing', []],
    ['half a name', ['accounting']],
    ['a star in the middle', ['accounting.*.read']],
    ['a sentence', ['may do all']],
    ['more than a token holds', Array.from({ length: 201 }, (_, n) => `accounting.account.a${n}`)],
  ])('refuses grants that are %s', async (_, grants) => {
    expect(await define({ ...clerk, grants })).toBeRefused(MalformedRequest);
  });

  it.each([['accounting.entry.post'], ['acounting.*'], ['accounting.accounts.*']])(
    'refuses %s, which is no permission',
    async (grant) => {
      const refused = await define({ ...clerk, grants: [...clerk.grants, grant] });
      expect(refused).toBeRefused(roles.PermissionUnknown, { grants: [grant] });
      expect(await look('clerk')).toBeRefused(Absent);
    },
  );

  it('refuses a role that holds conflicting duties by itself', async () => {
    const refused = await define({ ...clerk, grants: ['accounting.journal-entry.*'] });
    expect(refused).toBeRefused(roles.SeparationOfDutiesViolated, {
      holderId: null,
      at: null,
      conflicts: [
        expect.objectContaining({
          pair: 'post-and-reverse',
          left: ['accounting.journal-entry.post'],
          leftThrough: ['clerk'],
          right: ['accounting.journal-entry.reverse'],
          rightThrough: ['clerk'],
        }),
      ],
    });
    expect(await look('clerk')).toBeRefused(Absent);
    expect(await eventsOf(roles.defined.type)).toEqual([]);
  });

  it('refuses rights that its author does not have', async () => {
    await define({
      name: 'role_keeper',
      title: 'Role keeper',
      grants: ['users.role.change', 'users.role.read'],
    });
    const boris = await staff.plant(anna);
    await staff.give(as, { memberId: boris.id }, 'role_keeper');
    const { accessToken } = await staff.signIn(boris.email);
    const refused = await define(
      { ...clerk, grants: ['users.role.read', 'workers.email.read'] },
      accessToken,
    );
    expect(refused).toBeRefused(roles.GrantsBeyondOwn, { grants: ['workers.email.read'] });
    expect(await define({ ...clerk, grants: ['users.role.*'] }, accessToken)).toBeRefused(
      roles.GrantsBeyondOwn,
    );
    expect((await define({ ...clerk, grants: ['users.role.read'] }, accessToken)).status).toBe(201);
    const widened = await change('clerk', { grants: ['users.role.read', 'users.role.assign'] }, accessToken);
    expect(widened).toBeRefused(roles.GrantsBeyondOwn, { grants: ['users.role.assign'] });
    expect((await look('clerk')).body.grants).toEqual(['users.role.read']);
  });

  it('allows at most two hundred roles, also with concurrent requests; existing ones are still found', async () => {
    const most = limits.mostAtATime.ownRoles;
    await users.database.sql(
      `insert into own_role (tenant_id, name, title, created_at)
       select $1, 'role_' || repeat('a', n % 20 + 1) || '_' || repeat('b', n / 20 + 1), 'Role', now()
         from generate_series(1, $2) as n`,
      [anna.organisation.id, most - 1],
    );
    const names = ['clerk_a', 'clerk_b', 'clerk_c'];
    const answers = await Promise.all(names.map((name) => define({ ...clerk, name })));
    expect(statusesOf(answers)).toEqual([201, 422, 422]);
    const made = names[answers.findIndex(({ status }) => status === 201)] ?? '';
    expect((await define({ ...clerk, name: made })).status).toBe(200);
    expect(await define()).toBeRefused(limits.LimitReached, { limited: 'ownRoles', most });
    expect(await eventsOf(roles.defined.type)).toHaveLength(1);
    await remove(made);
    expect((await define()).status).toBe(201);
  });

  it('requires the permission', async () => {
    const boris = await staff.plant(anna);
    await staff.give(as, { memberId: boris.id }, 'manager');
    const { accessToken } = await staff.signIn(boris.email);
    expect((await users.call(roles.list, { query: {} }, { as: accessToken })).status).toBe(200);
    expect(await define(clerk, accessToken)).toBeRefused(Forbidden, { permission: 'users.role.change' });
    expect(await change('clerk', {}, accessToken)).toBeRefused(Forbidden);
    expect(await remove('clerk', accessToken)).toBeRefused(Forbidden);
  });
});

describe('changing a role', () => {
  it('changes what its holders may do, voids their tokens in the same transaction, and keeps the history', async () => {
    await define();
    const boris = await staff.plant(anna);
    await staff.give(as, { memberId: boris.id }, 'clerk');
    const before = claimsOf((await staff.signIn(boris.email)).accessToken);
    clock.advance(60_000);
    const changed = await change('clerk', { grants: ['accounting.account.read'] });
    expect(changed.body).toMatchObject({ grants: ['accounting.account.read'], holders: 1 });

    const { items } = (await users.call(accessTokens.listRevocations, { query: {} })).body;
    const revoked = items.find(({ sessionId }) => sessionId === before.sid);
    expect(revoked?.revokedAt).toEqual(clock.now());
    const after = claimsOf((await staff.signIn(boris.email)).accessToken);
    expect(after.grants).toEqual(['accounting.account.read']);
    expect(after.rv).toBe(before.rv + 1);
    const history = await users.database.sql<{ grants: string[]; until: Date | null }>(
      'select grants, until from own_role_grants where tenant_id = $1 order by since',
      [anna.organisation.id],
    );
    expect(history).toEqual([
      { grants: ['accounting.journal-entry.post'], until: clock.now() },
      { grants: ['accounting.account.read'], until: null },
    ]);
    expect(await eventsOf(roles.changed.type)).toMatchObject([
      { subject: 'clerk', data: { grants: ['accounting.account.read'], holders: 1 } },
    ]);
  });

  it('a new title voids no token; the same title changes nothing', async () => {
    await define();
    const boris = await staff.plant(anna);
    await staff.give(as, { memberId: boris.id }, 'clerk');
    const { rv } = claimsOf((await staff.signIn(boris.email)).accessToken);
    expect((await change('clerk', { title: 'Cashier' })).body.title.ru).toBe('Cashier');
    expect((await change('clerk', { title: 'Cashier' })).status).toBe(200);
    expect((await change('clerk', {})).status).toBe(200);
    expect(claimsOf((await staff.signIn(boris.email)).accessToken).rv).toBe(rv);
    expect(await eventsOf(roles.changed.type)).toHaveLength(1);
  });

  it('twice at one moment keeps one period of that moment', async () => {
    await define();
    await change('clerk', { grants: ['accounting.account.read'] });
    await change('clerk', { grants: ['accounting.report.read'] });
    const spans = await users.database.sql('select grants, until from own_role_grants where tenant_id = $1', [
      anna.organisation.id,
    ]);
    expect(spans).toEqual([{ grants: ['accounting.report.read'], until: null }]);
  });

  it('requires that neither the role nor its holders changed since it was read', async () => {
    await define();
    const etag = (await look('clerk')).headers.get('etag') ?? '';
    const boris = await staff.plant(anna);
    await staff.give(as, { memberId: boris.id }, 'clerk');
    expect(await change('clerk', { title: 'Cashier' }, as, { 'if-match': etag })).toBeRefused(Stale);
    const now = (await look('clerk')).headers.get('etag') ?? '';
    expect((await change('clerk', { title: 'Cashier' }, as, { 'if-match': now })).status).toBe(200);
    expect(await change('clerk', { title: 'Clerk' }, as, { 'if-match': now })).toBeRefused(Stale);
  });

  it('is refused when a holder would get conflicting duties, and changes nothing', async () => {
    await define();
    await define({ name: 'checker', title: 'Checker', grants: ['accounting.report.read'] });
    const [boris, vera] = [await staff.plant(anna), await staff.plant(anna)];
    await staff.give(as, { memberId: boris.id }, 'checker');
    await staff.give(as, { memberId: vera.id }, 'checker');
    await staff.give(as, { memberId: vera.id }, 'clerk');
    const grants = ['accounting.journal-entry.reverse', 'accounting.report.read'];
    const refused = await change('checker', { grants });
    expect(refused).toBeRefused(roles.SeparationOfDutiesViolated, {
      holderId: vera.id,
      conflicts: [expect.objectContaining({ pair: 'post-and-reverse', rightThrough: ['checker'] })],
    });
    expect((await look('checker')).body.grants).toEqual(['accounting.report.read']);
    expect(await eventsOf(roles.changed.type)).toEqual([]);
  });

  it("is refused when a holder's token would grow too large", async () => {
    await define();
    const boris = await staff.plant(anna);
    await staff.give(as, { memberId: boris.id }, 'clerk');
    await users.database.sql(
      `insert into own_role (tenant_id, name, title, created_at) values ($1, 'huge', 'Huge', now());`,
      [anna.organisation.id],
    );
    await users.database.sql(
      `insert into own_role_grants (tenant_id, name, since, grants)
       select $1, 'huge', now(), array_agg('shop.item' || n || '.read') from generate_series(1, 199) as n`,
      [anna.organisation.id],
    );
    await staff.give(as, { memberId: boris.id }, 'huge');
    const refused = await change('clerk', { grants: ['accounting.account.read', 'accounting.report.read'] });
    expect(refused).toBeRefused(roles.TooManyRights, { holderId: boris.id, grants: 201, grantsLimit: 200 });
  });

  it('is refused for a built-in role', async () => {
    expect(await change('accountant', { title: 'Boss' })).toBeRefused(roles.RoleIsBuiltIn);
    expect(await remove('accountant')).toBeRefused(roles.RoleIsBuiltIn);
    expect(await change('nobody', { title: 'Boss' })).toBeRefused(Absent);
  });
});

describe('deleting a role', () => {
  it('is refused while it has holders, and tells how many', async () => {
    await define();
    const boris = await staff.plant(anna);
    await staff.give(as, { memberId: boris.id }, 'clerk');
    expect(await remove('clerk')).toBeRefused(roles.RoleInUse, { role: 'clerk', holders: 1 });
  });

  it('can be repeated, and frees the name for another role', async () => {
    await define();
    expect((await remove('clerk')).status).toBe(204);
    expect((await remove('clerk')).status).toBe(204);
    expect(await look('clerk')).toBeRefused(Absent);
    expect(await remove('never')).toBeRefused(Absent);
    expect(await eventsOf(roles.removed.type)).toHaveLength(1);
    clock.advance(1_000);
    expect((await define({ ...clerk, grants: ['accounting.account.read'] })).status).toBe(201);
    const spans = await users.database.sql(
      'select grants from own_role_grants where tenant_id = $1 order by since',
      [anna.organisation.id],
    );
    expect(spans).toEqual([{ grants: clerk.grants }, { grants: ['accounting.account.read'] }]);
  });
});
