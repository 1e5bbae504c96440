import { setTimeout as pause } from 'node:timers/promises';
import { Absent, Forbidden, MalformedRequest, newId, StepUpRequired } from '@marimo/contracts';
import { accessTokens, type identity, organisations, roleAssignments, roles } from '@marimo/contracts/users';
import { testClock } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { peopleOf, type TestMember } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';

/** To the second, as validity is. */
const clock = testClock(new Date(Math.ceil(Date.now() / 1_000) * 1_000).toISOString());
const minutes = 60_000;
const days = 24 * 60 * minutes;

const users = useUsers({ clock: clock.now });
const staff = peopleOf(() => users, clock.now);
let anna: identity.SignedIn;
let boris: TestMember;
let as: string;
beforeEach(async () => {
  anna = await staff.organisation();
  as = anna.accessToken;
  boris = await staff.plant(anna);
});

const inMs = (milliseconds: number) => new Date(clock.now().getTime() + milliseconds).toISOString();
const assign = (body: object, by = as, headers = {}) =>
  users.call(
    roleAssignments.assign,
    { body: { assignmentId: newId(), memberId: boris.id, role: 'accountant', ...body } },
    { as: by, headers },
  );
const revoke = (assignmentId: string, body = {}, by = as) =>
  users.call(roleAssignments.revoke, { params: { assignmentId }, body }, { as: by });
const list = async (query: object, by = as) =>
  (await users.call(roleAssignments.list, { query }, { as: by })).body;
const eventsOf = async (type: string) =>
  (await users.events()).filter((each) => each.type === type && each.tenantid === anna.organisation.id);
const stored = () =>
  users.database.sql('select assignment_id from role_assignment where tenant_id = $1 and person_id = $2', [
    anna.organisation.id,
    boris.id,
  ]);

/** Until so many transactions wait for each other; they do for certain as long as what they wait for is held. */
async function waitingForLocks(count: number): Promise<void> {
  for (const giveUpAt = Date.now() + 10_000; Date.now() < giveUpAt; await pause(5)) {
    const waiting = await users.database.sql(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    if (waiting.length >= count) return;
  }
  throw new Error(`Fewer than ${count} came to wait`);
}

describe('assigning a role', () => {
  it('takes effect with the next token, voids earlier tokens in the same transaction, and publishes an event', async () => {
    const before = claimsOf((await staff.signIn(boris.email)).accessToken);
    clock.advance(minutes);
    const given = await assign({});
    expect(given.status).toBe(201);
    expect(given.body).toMatchObject({
      memberId: boris.id,
      serviceAccountId: null,
      role: 'accountant',
      validFrom: clock.now(),
      validUntil: null,
      grantedBy: anna.user.id,
      revokedAt: null,
      state: 'in-force',
    });
    const revocations = (await users.call(accessTokens.listRevocations, { query: {} })).body.items;
    expect(revocations.find(({ sessionId }) => sessionId === before.sid)?.revokedAt).toEqual(clock.now());
    const after = claimsOf((await staff.signIn(boris.email)).accessToken);
    expect([after.roles, after.rv]).toEqual([['accountant'], before.rv + 1]);
    expect(await eventsOf(roleAssignments.assigned.type)).toMatchObject([
      { subject: given.body.assignmentId, actorid: anna.user.id, data: { role: 'accountant' } },
    ]);
  });

  it('can be repeated with its id, and refuses other content with that id', async () => {
    const assignmentId = newId();
    const first = await assign({ assignmentId, validUntil: inMs(days) });
    clock.advance(minutes);
    const again = await assign({ assignmentId, validUntil: inMs(days - minutes) });
    expect([again.status, again.body]).toEqual([200, first.body]);
    for (const other of [{ role: 'user' }, { validUntil: inMs(2 * days) }, { memberId: anna.user.id }, {}]) {
      const refused = await assign({ assignmentId, ...other });
      expect(refused).toBeRefused(roles.RoleAssignmentConflict, { assignmentId });
    }
    expect(await stored()).toHaveLength(1);
    const upperCase = { assignmentId: assignmentId.toUpperCase(), memberId: boris.id.toUpperCase() };
    expect((await assign({ ...upperCase, validUntil: inMs(days - minutes) })).status).toBe(200);
  });

  it('returns the first reply to a repeated request with the same Idempotency-Key', async () => {
    const body = { assignmentId: newId() };
    const key = { 'idempotency-key': newId() };
    const first = await assign(body, as, key);
    const again = await assign(body, as, key);
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  it('refuses a role the holder has during that time already', async () => {
    const { body: given } = await assign({ validFrom: inMs(days), validUntil: inMs(3 * days) });
    const other = { role: 'accountant', assignmentId: given.assignmentId };
    expect(await assign({})).toBeRefused(roles.RoleAlreadyAssigned, other);
    expect(await assign({ validUntil: inMs(2 * days) })).toBeRefused(roles.RoleAlreadyAssigned, other);
    expect(await assign({ validFrom: inMs(2 * days) })).toBeRefused(roles.RoleAlreadyAssigned, other);
    expect((await assign({ validUntil: inMs(days) })).status).toBe(201);
    expect((await assign({ validFrom: inMs(3 * days) })).status).toBe(201);
  });

  it('refuses an unknown or deleted role', async () => {
    expect(await assign({ role: 'clerk' })).toBeRefused(roles.RoleUnknown, { role: 'clerk' });
    expect(await assign({ role: 'constructor' })).toBeRefused(roles.RoleUnknown);
    expect(await stored()).toEqual([]);
  });

  it('refuses suspended and former members, and disabled accounts', async () => {
    for (const state of ['suspended', 'left']) {
      await users.database.sql('update member set state = $1 where person_id = $2', [state, boris.id]);
      expect(await assign({})).toBeRefused(roles.HolderNotActive, { holderId: boris.id });
    }
    const shop = await staff.serviceAccount(anna);
    await users.database.sql('update service_account set disabled_at = now() where account_id = $1', [shop]);
    const refused = await assign({ memberId: undefined, serviceAccountId: shop });
    expect(refused).toBeRefused(roles.HolderNotActive, { holderId: shop });
    expect(await stored()).toEqual([]);
  });

  it('refuses a period in the past', async () => {
    const refused = await assign({ validFrom: inMs(-2 * days), validUntil: clock.now().toISOString() });
    expect(refused).toBeRefused(roles.ValidityOver);
    expect(await stored()).toEqual([]);
  });

  it.each([
    ['no holder', { memberId: undefined }, '/memberId'],
    ['two holders', { serviceAccountId: newId() }, '/memberId'],
    ['an end before its beginning', { validFrom: inMs(2 * days), validUntil: inMs(days) }, '/validUntil'],
    ['an end in the middle of a second', { validUntil: '2040-01-01T00:00:00.500Z' }, '/validUntil'],
    ['a day instead of a moment', { validUntil: '2040-01-01' }, '/validUntil'],
    ['an end that is no day of any calendar', { validUntil: '2040-02-30T00:00:00Z' }, '/validUntil'],
    ['a name of a role that is none', { role: 'admin; drop table role' }, '/role'],
    ['a holder that is no id', { memberId: 'boris' }, '/memberId'],
    ['an unknown field', { forever: true }, ''],
  ])('refuses %s as malformed', async (_, body, pointer) => {
    const refused = await assign(body);
    expect(refused).toBeRefused(MalformedRequest);
    expect(JSON.stringify(refused.problem)).toContain(`"pointer":"${pointer}`);
  });

  it('requires the permission and a recent proof of identity', async () => {
    await staff.give(as, { memberId: boris.id }, 'manager');
    const { accessToken } = await staff.signIn(boris.email);
    expect(await assign({ memberId: anna.user.id }, accessToken)).toBeRefused(Forbidden);
    clock.advance(11 * minutes);
    const refused = await assign({});
    expect(refused).toBeRefused(StepUpRequired);
    expect(refused.headers.get('www-authenticate')).toContain('insufficient_user_authentication');
  });

  it('refuses rights that the caller does not have, so that no caller becomes administrator', async () => {
    const body = {
      name: 'assigner',
      title: 'Assigner',
      grants: ['users.role.assign', 'accounting.report.*'],
    };
    await users.call(roles.define, { body }, { as });
    const reader = { name: 'reader', title: 'Reader', grants: ['accounting.report.read'] };
    await users.call(roles.define, { body: reader }, { as });
    await staff.give(as, { memberId: boris.id }, 'assigner');
    const { accessToken } = await staff.signIn(boris.email);
    expect(await assign({ role: 'admin' }, accessToken)).toBeRefused(roles.GrantsBeyondOwn, {
      grants: ['*'],
    });
    expect(await assign({ role: 'user' }, accessToken)).toBeRefused(roles.GrantsBeyondOwn);
    const vera = await staff.plant(anna);
    expect((await assign({ role: 'reader', memberId: vera.id }, accessToken)).status).toBe(201);
  });

  it('neither finds nor shows members of another organisation', async () => {
    const other = await staff.organisation();
    expect(await assign({}, other.accessToken)).toBeRefused(Absent, { resource: 'member' });
    const stranger = { memberId: undefined, serviceAccountId: newId() };
    expect(await assign(stranger)).toBeRefused(Absent, { resource: 'service account' });
    const { body: given } = await assign({});
    expect(await revoke(given.assignmentId, {}, other.accessToken)).toBeRefused(Absent);
    expect((await list({ memberId: boris.id }, other.accessToken)).items).toEqual([]);
  });

  it('works for a service account as for a member', async () => {
    const shop = await staff.serviceAccount(anna);
    const { body: given } = await assign({ memberId: undefined, serviceAccountId: shop });
    expect(given).toMatchObject({ memberId: null, serviceAccountId: shop, state: 'in-force' });
    const version = async () =>
      (
        await users.database.sql('select roles_version from service_account where account_id = $1', [shop])
      )[0];
    expect(await version()).toEqual({ roles_version: 2 });
    expect((await revoke(given.assignmentId)).body).toMatchObject({ state: 'revoked' });
    expect(await version()).toEqual({ roles_version: 3 });
  });
});

describe('a role with a validity period', () => {
  it('begins and ends by itself, and no token outlives it', async () => {
    const exp = (moment: string) => Date.parse(moment) / 1_000;
    const begins = inMs(5 * minutes);
    const ends = inMs(10 * minutes);
    const { body: given } = await assign({ validFrom: begins, validUntil: ends });
    expect(given.state).toBe('planned');

    const before = claimsOf((await staff.signIn(boris.email)).accessToken);
    expect([before.roles, before.exp]).toEqual([[], exp(begins)]);
    clock.advance(5 * minutes + 300);
    const during = claimsOf((await staff.signIn(boris.email)).accessToken);
    expect([during.roles, during.exp]).toEqual([['accountant'], exp(ends)]);
    expect((await list({ memberId: boris.id })).items).toMatchObject([{ state: 'in-force' }]);
    clock.advance(5 * minutes - 300);
    const after = claimsOf((await staff.signIn(boris.email)).accessToken);
    expect(after.roles).toEqual([]);
    expect((await list({ memberId: boris.id })).items).toMatchObject([{ state: 'over' }]);
    expect(await revoke(given.assignmentId)).toBeRefused(roles.RoleAssignmentOver);
  });

  it('can be shortened, not extended', async () => {
    const { assignmentId } = (await assign({ validFrom: inMs(days), validUntil: inMs(9 * days) })).body;
    expect(await revoke(assignmentId, { validUntil: inMs(10 * days) })).toBeRefused(roles.ValidityOver);
    expect(await revoke(assignmentId, { validUntil: inMs(days) })).toBeRefused(roles.ValidityOver);
    expect(await revoke(assignmentId, { validUntil: inMs(-days) })).toBeRefused(roles.ValidityOver);
    const shortened = await revoke(assignmentId, { validUntil: inMs(2 * days) });
    expect(shortened.body).toMatchObject({
      validUntil: new Date(inMs(2 * days)),
      state: 'planned',
      revokedAt: null,
    });
    expect((await revoke(assignmentId, { validUntil: inMs(2 * days) })).status).toBe(200);
    expect(await eventsOf(roleAssignments.shortened.type)).toMatchObject([
      { subject: assignmentId, data: { validUntil: inMs(2 * days) } },
    ]);
  });
});

describe('revoking a role', () => {
  it('takes effect at once, keeps the assignment as history, and can be repeated', async () => {
    const { assignmentId } = (await assign({})).body;
    const before = claimsOf((await staff.signIn(boris.email)).accessToken);
    clock.advance(minutes);
    const revoked = await revoke(assignmentId);
    expect(revoked.body).toMatchObject({
      state: 'revoked',
      revokedAt: clock.now(),
      revokedBy: anna.user.id,
    });
    const after = claimsOf((await staff.signIn(boris.email)).accessToken);
    expect([after.roles, after.rv]).toEqual([[], before.rv + 1]);
    const revocations = (await users.call(accessTokens.listRevocations, { query: {} })).body.items;
    expect(revocations.find(({ sessionId }) => sessionId === before.sid)?.revokedAt).toEqual(clock.now());
    clock.advance(minutes);
    expect((await revoke(assignmentId)).body).toEqual(revoked.body);
    expect(await eventsOf(roleAssignments.revoked.type)).toHaveLength(1);
    expect((await assign({})).status).toBe(201);
    expect((await list({ memberId: boris.id })).items).toMatchObject([
      { state: 'in-force' },
      { state: 'revoked' },
    ]);
  });

  it('leaves no token with the role to a concurrent sign-in', async () => {
    const { assignmentId } = (await assign({})).body;
    const inTheWay = users.database.open('users', 'app');
    const met = await inTheWay.inTenant(anna.organisation.id, async (tx) => {
      await tx.run('select from role_assignment where assignment_id = $1 for update', [assignmentId]);
      const revoking = revoke(assignmentId);
      await waitingForLocks(1);
      clock.advance(1_000); // a token of this moment would outlive a revocation of the moment before
      const signingIn = staff.signIn(boris.email);
      await Promise.race([waitingForLocks(2), signingIn]);
      return { revoking, signingIn };
    });
    expect((await met.revoking).body.state).toBe('revoked');
    expect(claimsOf((await met.signingIn).accessToken).roles).toEqual([]);
  });

  it('is refused for the last administrator, also for a later date', async () => {
    const [own] = (await list({ role: 'admin' })).items;
    const id = own?.assignmentId ?? '';
    expect(await revoke(id)).toBeRefused(organisations.LastAdministrator);
    expect(await revoke(id, { validUntil: inMs(days) })).toBeRefused(organisations.LastAdministrator);
    await assign({ role: 'admin' });
    expect((await revoke(id)).body.state).toBe('revoked');
    expect((await users.call(roles.get, { params: { name: 'admin' } }, { as })).body.holders).toBe(1);
  });

  it('is refused to callers with fewer rights over people than the holder', async () => {
    const grants = ['users.role.assign', 'users.member.read'];
    await users.call(roles.define, { body: { name: 'assigner', title: 'Assigner', grants } }, { as });
    await staff.give(as, { memberId: boris.id }, 'assigner');
    const { accessToken } = await staff.signIn(boris.email);
    const vera = await staff.plant(anna);
    const { body: second } = await assign({ role: 'admin', memberId: vera.id });
    expect(await revoke(second.assignmentId, {}, accessToken)).toBeRefused(roles.GrantsBeyondOwn);
    expect(await revoke(second.assignmentId, { validUntil: inMs(days) }, accessToken)).toBeRefused(
      roles.GrantsBeyondOwn,
    );
    const { body: books } = await assign({ role: 'accountant', memberId: vera.id });
    expect((await revoke(books.assignmentId, {}, accessToken)).body.state).toBe('revoked');
  });

  it('keeps one of two administrators who revoke each other at the same time', async () => {
    const [own] = (await list({ role: 'admin' })).items;
    const { body: second } = await assign({ role: 'admin' });
    const other = (await staff.signIn(boris.email)).accessToken;
    const answers = await Promise.all([
      revoke(second.assignmentId),
      revoke(own?.assignmentId ?? '', {}, other),
    ]);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 422]);
  });
});

describe('the list of role assignments', () => {
  it('is filtered by member, role and state, newest first, and paged', async () => {
    const vera = await staff.plant(anna);
    for (const role of ['accountant', 'user', 'agent']) {
      clock.advance(1_000);
      await staff.give(as, { memberId: boris.id }, role);
    }
    await staff.give(as, { memberId: vera.id, validFrom: inMs(days) }, 'user');
    const roles = async (query: object) => (await list(query)).items.map(({ role }) => role);
    expect(await roles({ memberId: boris.id })).toEqual(['agent', 'user', 'accountant']);
    expect(await roles({ role: 'user' })).toHaveLength(2);
    expect(await roles({ role: 'user', state: 'planned' })).toHaveLength(1);
    const first = await list({ memberId: boris.id, limit: 2 });
    expect(first.items.map(({ role }) => role)).toEqual(['agent', 'user']);
    expect(await roles({ memberId: boris.id, after: first.next })).toEqual(['accountant']);
    const answer = await users.call(roleAssignments.list, { query: { after: 'x' } }, { as });
    expect(answer).toBeRefused(MalformedRequest);
  });
});
