import { Absent, Forbidden, MalformedRequest, newId } from '@marimo/contracts';
import { conflictingDuties } from '@marimo/contracts/all';
import { accessReports, type identity, personalData, roleAssignments, roles } from '@marimo/contracts/users';
import { testClock } from '@marimo/testing';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';

const clock = testClock(new Date(Math.ceil(Date.now() / 1_000) * 1_000).toISOString());
const days = 24 * 60 * 60_000;

const users = useUsers({ clock: clock.now });
const staff = peopleOf(() => users, clock.now);
let anna: identity.SignedIn;
let as: string;
beforeEach(async () => {
  anna = await staff.organisation();
  as = anna.accessToken;
});

const now = () => clock.now().toISOString();
const define = (name: string, grants: string[]) =>
  users.call(roles.define, { body: { name, title: name, grants } }, { as });
const whoCan = async (permission: string, at?: string) => {
  const { items } = (await users.call(accessReports.reportWhoCan, { query: { permission, at } }, { as }))
    .body;
  return items.map(({ holder, through }) => [holder.name, ...through]);
};
const accessOf = async (holderId: string, at?: string, by = as) =>
  users.call(accessReports.reportAccessOf, { params: { holderId }, query: { at } }, { as: by });
const post = 'accounting.journal-entry.post';

describe('the report of conflicting duties', () => {
  it('lists holders with the roles, and whether the role would be granted today', async () => {
    await define('auditor', ['workers.audit.read']);
    const boris = await staff.plant(anna, [], { name: 'Boris' });
    const vera = await staff.plant(anna, [], { name: 'Vera' });
    await staff.give(as, { memberId: boris.id }, 'accountant');
    await staff.give(as, { memberId: vera.id }, 'auditor');
    // Planted: nobody could be given both today.
    await users.database.sql(
      `insert into role_assignment (tenant_id, assignment_id, person_id, role, valid_from, granted_at)
       values ($1, $2, $3, 'accountant', $4, $4)`,
      [anna.organisation.id, newId(), vera.id, clock.now()],
    );
    const { items } = (await users.call(accessReports.reportConflicts, { query: {} }, { as })).body;
    const found = Object.fromEntries(items.map(({ holder, conflicts }) => [holder.name, conflicts]));
    expect(Object.keys(found).sort()).toEqual(['Anna', 'Boris', 'Vera']);
    expect(found['Boris']?.map(({ pair, tolerated }) => [pair, tolerated])).toEqual([
      ['maintain-chart-and-post', true],
      ['open-journals-and-post', true],
      ['post-and-reverse', true],
    ]);
    expect(found['Vera']?.find(({ pair }) => pair === 'verify-audit-and-post')).toMatchObject({
      leftThrough: ['auditor'],
      rightThrough: ['accountant'],
      within: [],
      tolerated: false,
    });
    expect(found['Anna']?.length).toBeGreaterThanOrEqual(12);
    expect(found['Anna']?.every(({ within, tolerated }) => within[0] === 'admin' && tolerated)).toBe(true);
  });

  it("tolerates no pair within a built-in role under strict separation, except the administrator's, and lists both", async () => {
    const boris = await staff.plant(anna, [], { name: 'Boris' });
    await staff.give(as, { memberId: boris.id }, 'accountant');
    await users.database.sql('update organisation set strict_separation = true where tenant_id = $1', [
      anna.organisation.id,
    ]);
    const { items } = (await users.call(accessReports.reportConflicts, { query: {} }, { as })).body;
    const tolerated = items.map(({ holder, conflicts }) => [
      holder.name,
      conflicts.some((each) => each.tolerated),
    ]);
    expect(Object.fromEntries(tolerated)).toEqual({ Anna: true, Boris: false });
  });

  it('pages members and service accounts together', async () => {
    for (let n = 0; n < 4; n += 1) {
      const { id } = await staff.plant(anna);
      await staff.give(as, { memberId: id }, n % 2 === 0 ? 'user' : 'accountant');
    }
    const shop = await staff.serviceAccount(anna);
    await staff.give(as, { serviceAccountId: shop }, 'manager');
    const ids: string[] = [];
    let after: string | undefined;
    for (let page = 0; page < 4; page += 1) {
      const { items, next } = (
        await users.call(accessReports.reportConflicts, { query: { limit: 1, after } }, { as })
      ).body;
      ids.push(...items.map(({ holder }) => holder.id));
      if (next === null) break;
      after = next;
    }
    expect(ids).toHaveLength(4);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(ids).toContain(shop);
  });

  it('lists the pairs of conflicting duties to every member', async () => {
    const { items } = (await users.call(accessReports.listConflictingDuties, {}, { as })).body;
    expect(items).toHaveLength(conflictingDuties.length);
    expect(items.find(({ id }) => id === 'post-and-reverse')).toMatchObject({
      left: ['accounting.journal-entry.post'],
      right: ['accounting.journal-entry.reverse'],
    });
  });
});

describe('the report of who can do something', () => {
  it('lists members and service accounts with the roles', async () => {
    await define('clerk', [post]);
    const boris = await staff.plant(anna, [], { name: 'Boris' });
    await staff.give(as, { memberId: boris.id }, 'accountant');
    await staff.give(as, { memberId: boris.id }, 'clerk');
    const shop = await staff.serviceAccount(anna, 'Web shop');
    await staff.give(as, { serviceAccountId: shop }, 'clerk');
    const found = await whoCan(post);
    expect(Object.fromEntries(found.map(([name, ...through]) => [name, through]))).toEqual({
      Anna: ['admin'],
      Boris: ['accountant', 'clerk'],
      'Web shop': ['clerk'],
    });
    expect(await whoCan('users.role.assign')).toEqual([['Anna', 'admin']]);
  });

  it('is paged', async () => {
    for (let n = 0; n < 3; n += 1) {
      await staff.give(as, { memberId: (await staff.plant(anna)).id }, 'accountant');
    }
    const query = { permission: post, limit: 3 };
    const first = (await users.call(accessReports.reportWhoCan, { query }, { as })).body;
    expect(first.items).toHaveLength(3);
    const rest = (
      await users.call(accessReports.reportWhoCan, { query: { ...query, after: first.next ?? '' } }, { as })
    ).body;
    expect([rest.items.length, rest.next]).toEqual([1, null]);
  });

  it('refuses an unknown permission, so that a typing error does not look like an empty list', async () => {
    const answer = await users.call(
      accessReports.reportWhoCan,
      { query: { permission: 'accounting.entry.post' } },
      { as },
    );
    expect(answer).toBeRefused(roles.PermissionUnknown, { grants: ['accounting.entry.post'] });
    const other = await users.call(
      accessReports.reportWhoCan,
      { query: { permission: post, at: 'yesterday' } },
      { as },
    );
    expect(other).toBeRefused(MalformedRequest);
  });

  it.each([['0000-01-01T00:00:00Z'], ['1500-02-28T12:00:00.123456789Z'], ['9999-12-31T23:59:59Z']])(
    'is answered for %s too',
    async (at) => {
      const answer = await users.call(
        accessReports.reportWhoCan,
        { query: { permission: post, at } },
        { as },
      );
      expect(answer.body.items).toHaveLength(at.startsWith('9') ? 1 : 0);
      expect((await accessOf(anna.user.id, at)).body.active).toBe(at.startsWith('9'));
    },
  );

  it('requires the permission and shows nothing of another organisation', async () => {
    const boris = await staff.plant(anna);
    await staff.give(as, { memberId: boris.id }, 'accountant');
    const { accessToken } = await staff.signIn(boris.email);
    expect(await accessOf(boris.id, undefined, accessToken)).toBeRefused(Forbidden);
    const other = await staff.organisation();
    expect(await accessOf(boris.id, undefined, other.accessToken)).toBeRefused(Absent);
    const theirs = await users.call(
      accessReports.reportWhoCan,
      { query: { permission: post } },
      { as: other.accessToken },
    );
    expect(theirs.body.items.map(({ holder }) => holder.id)).toEqual([other.user.id]);
  });
});

describe('the access report of one holder', () => {
  it('lists the roles, what they grant, and every permission with the roles it comes through', async () => {
    await define('clerk', [post]);
    const boris = await staff.plant(anna, [], { name: 'Boris' });
    await staff.give(as, { memberId: boris.id }, 'clerk');
    await staff.give(as, { memberId: boris.id }, 'user');
    const { body } = await accessOf(boris.id);
    expect(body).toMatchObject({
      holder: { id: boris.id, kind: 'member', name: 'Boris' },
      at: new Date(now()),
      active: true,
      roles: [
        { role: 'clerk', builtIn: false, grants: [post] },
        { role: 'user', builtIn: true },
      ],
    });
    expect(body.permissions.map(({ name, through }) => [name, ...through])).toEqual([
      [post, 'clerk'],
      ['workers.notification.read', 'user'],
    ]);
  });
});

describe('reports about the past', () => {
  it('show each change: role given, changed, suspended, reinstated, revoked, expired', async () => {
    const tenant = anna.organisation.id;
    const moments: Record<string, string> = {};
    const mark = (name: string) => {
      clock.advance(days);
      moments[name] = now();
      clock.advance(days);
    };
    const bySignedIn = async () => {
      as = (await staff.signIn(anna.user.email)).accessToken;
    };
    await define('clerk', [post]);
    mark('before Boris');
    const boris = await staff.plant(anna, [], { name: 'Boris' });
    mark('without a role');
    await bySignedIn();
    const assignmentId = await staff.give(as, { memberId: boris.id }, 'clerk');
    mark('clerk');
    await bySignedIn();
    const renamed = await users.call(
      roles.change,
      { params: { name: 'clerk' }, body: { grants: ['accounting.report.read'] } },
      { as },
    );
    expect(renamed.status).toBe(200);
    mark('clerk who reads');
    await users.database.sql(`update member set state = 'suspended' where person_id = $1`, [boris.id]);
    await users.database.sql('update member_period set ended_at = $2 where person_id = $1', [
      boris.id,
      clock.now(),
    ]);
    mark('suspended');
    await users.database.sql(`update member set state = 'active' where person_id = $1`, [boris.id]);
    await users.database.sql(
      'insert into member_period (tenant_id, person_id, began_at) values ($1, $2, $3)',
      [tenant, boris.id, clock.now()],
    );
    mark('back again');
    await bySignedIn();
    await users.call(roleAssignments.revoke, { params: { assignmentId }, body: {} }, { as });
    await users.call(roles.remove, { params: { name: 'clerk' } }, { as });
    mark('revoked');
    await bySignedIn();
    const validFrom = new Date(clock.now().getTime() - 5 * days).toISOString(); // gives nothing for the past
    const validUntil = new Date(clock.now().getTime() + 2 * days).toISOString();
    await staff.give(as, { memberId: boris.id, validFrom, validUntil }, 'accountant');
    mark('for a time');
    clock.advance(days);
    mark('over');
    await bySignedIn();

    const reading = 'accounting.report.read';
    const answers: Record<string, unknown> = {};
    for (const [name, at] of Object.entries(moments)) {
      const { active, permissions } = (await accessOf(boris.id, at)).body;
      const held = permissions.filter((each) => [post, reading].includes(each.name));
      answers[name] = [active, ...held.map((each) => `${each.name} as ${each.through.join()}`)];
      for (const permission of [post, reading]) {
        const others = (await whoCan(permission, at)).filter(([holder]) => holder === 'Boris');
        const through = held.find((each) => each.name === permission)?.through;
        expect([name, permission, others]).toEqual([
          name,
          permission,
          through === undefined ? [] : [['Boris', ...through]],
        ]);
      }
    }
    expect(answers).toEqual({
      'before Boris': [false],
      'without a role': [true],
      clerk: [true, `${post} as clerk`],
      'clerk who reads': [true, `${reading} as clerk`],
      suspended: [false],
      'back again': [true, `${reading} as clerk`],
      revoked: [true],
      'for a time': [true, `${post} as accountant`, `${reading} as accountant`],
      over: [true],
    });
  });

  it('include a role from its first moment, and exclude it from the moment it ends', async () => {
    const boris = await staff.plant(anna, [], { name: 'Boris' });
    const from = now();
    const until = new Date(clock.now().getTime() + days).toISOString();
    const at = (text: string, milliseconds: number) =>
      new Date(Date.parse(text) + milliseconds).toISOString();
    await staff.give(as, { memberId: boris.id, validFrom: from, validUntil: until }, 'accountant');
    const could = async (moment: string) => (await accessOf(boris.id, moment)).body.roles.length === 1;
    expect([await could(at(from, -1)), await could(from)]).toEqual([false, true]);
    expect([await could(at(until, -1)), await could(until)]).toEqual([true, false]);
  });

  it('include a service account until it was disabled', async () => {
    const shop = await staff.serviceAccount(anna);
    await staff.give(as, { serviceAccountId: shop }, 'accountant');
    const before = now();
    clock.advance(days);
    await users.database.sql('update service_account set disabled_at = $2 where account_id = $1', [
      shop,
      clock.now(),
    ]);
    as = (await staff.signIn(anna.user.email)).accessToken;
    expect((await accessOf(shop, before)).body).toMatchObject({
      holder: { kind: 'service-account' },
      active: true,
    });
    expect((await accessOf(shop)).body).toMatchObject({ active: false, roles: [], permissions: [] });
  });
});

it('an erased person is named in no report, at no time', async () => {
  const boris = await staff.plant(anna, [], { name: 'Boris' });
  await staff.give(as, { memberId: boris.id }, 'accountant');
  const then = now();
  clock.advance(1 * days);
  as = (await staff.signIn(anna.user.email)).accessToken;
  await users.database.sql(
    `with ended as (update member_period set ended_at = $2 where person_id = $1)
     update member set state = 'left', erased_at = $2 where person_id = $1`,
    [boris.id, clock.now()],
  );
  expect(await whoCan(post, then)).toContainEqual([personalData.erasedName, 'accountant']);
  expect((await accessOf(boris.id, then)).body.holder).toMatchObject({
    id: boris.id,
    name: personalData.erasedName,
  });
});
