import { Absent, Forbidden, MalformedRequest, newId, StepUpRequired } from '@marimo/contracts';
import {
  apiKeys,
  credentials,
  type identity,
  members,
  organisations,
  people as peopleContract,
  roles,
  sessions,
} from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { password } from '../../../test/organisation-with-people.ts';
import { pineUnderTest } from '../../../test/pine-under-test.ts';
import { raceAt, statusesOf } from '../../../test/race.ts';

const { clock, people, present, as, sql, isVoid, refreshed, eventsAbout: told } = pineUnderTest();
const minutes = 60_000;

let users: ServiceUnderTest;
let anna: identity.SignedIn;
let boris: identity.SignedIn;
beforeEach(() => {
  ({ users, anna, boris } = present());
});

const of = (who: identity.SignedIn) => ({ params: { memberId: who.user.id } });
/** All that a decision about a member could change. */
const everythingAbout = async (who: identity.SignedIn) => ({
  member: await sql('select * from member where person_id = $1', who.user.id),
  periods: await sql('select * from member_period where person_id = $1', who.user.id),
  roles: await sql('select * from role_assignment where person_id = $1', who.user.id),
  sessions: (await sql('select session_id, ended_at from session where person_id = $1', who.user.id)).length,
  ended: await sql(
    'select session_id from session where person_id = $1 and ended_at is not null',
    who.user.id,
  ),
  places: await sql('select * from workplace where person_id = $1', who.user.id),
});
const eventsAbout = (who: identity.SignedIn, type: string) => told(who.user.id, type);

describe('the list of members', () => {
  it('is sorted by name and paged, with roles and last activity', async () => {
    await people.member(anna, ['user'], { name: 'Clara' });
    const token = await as(anna);
    const first = (await users.call(members.list, { query: { limit: '2' } }, token)).body;
    const second = (await users.call(members.list, { query: { limit: '2', after: first.next ?? '' } }, token))
      .body;
    expect([...first.items, ...second.items].map(({ name }) => name)).toEqual([
      anna.user.name,
      'Boris',
      'Clara',
    ]);
    expect(second.next).toBeNull();
    expect(first.items[1]).toMatchObject({
      id: boris.user.id,
      email: boris.user.email,
      state: 'active',
      roles: ['accountant'],
    });
    expect(first.items[0]?.lastSeenAt).toEqual(clock.now());
  });

  it('finds people by part of a name or e-mail in any case, and by state', async () => {
    const clara = await people.member(anna, [], { name: 'Клара' });
    const token = await as(anna);
    const found = async (query: Record<string, string>) =>
      (await users.call(members.list, { query: query as { state?: 'left' } }, token)).body.items.map(
        ({ id }) => id,
      );
    expect(await found({ text: 'клар' })).toEqual([clara.user.id]);
    expect(await found({ text: boris.user.email.toUpperCase().slice(0, 9) })).toContain(boris.user.id);
    expect(await found({ text: '%' })).toEqual([]);
    await users.call(members.suspend, of(boris), token);
    expect(await found({ state: 'suspended' })).toEqual([boris.user.id]);
  });

  it('finds a name with е or ё, composed or decomposed, and with any spacing', async () => {
    const token = await as(anna);
    const pyotr = await people.member(anna, []);
    const body = { name: 'Пе\u0308тр\u00a0 Семёнов' };
    const changed = await users.call(peopleContract.changeMe, { body }, { as: pyotr.accessToken });
    expect(changed.body.user.name).toBe('Пётр Семёнов');
    for (const text of ['петр семенов', 'ПЁТР', 'пе\u0308тр\u2003сем']) {
      const { items } = (await users.call(members.list, { query: { text } }, token)).body;
      expect(items.map(({ id }) => id)).toEqual([pyotr.user.id]);
    }
  });

  it('shows the name of a former member but not the e-mail', async () => {
    const token = await as(anna);
    await users.call(members.remove, of(boris), token);
    const one = await users.call(members.get, of(boris), token);
    expect(one.body).toMatchObject({ name: 'Boris', email: null, state: 'left', roles: [] });
    const search = await users.call(members.list, { query: { text: boris.user.email } }, token);
    expect(search.body.items).toEqual([]);
  });

  it("requires the permission and refuses another member's cursor", async () => {
    expect(await users.call(members.list, { query: {} }, await as(boris))).toBeRefused(Forbidden);
    const token = await as(anna);
    expect(await users.call(members.list, { query: { after: 'x' } }, token)).toBeRefused(MalformedRequest);
  });
});

describe('a suspended member', () => {
  it('loses session, token and sign-in at once, while the roles are kept', async () => {
    const answer = await users.call(members.suspend, of(boris), await as(anna));
    expect(answer.body).toMatchObject({ state: 'suspended', roles: ['accountant'] });
    expect(await isVoid(boris)).toBe(true);
    expect(await refreshed(boris)).toBeRefused(credentials.RefreshTokenRefused);
    const signInWith = { email: boris.user.email, password };
    expect(await users.call(sessions.login, { body: signInWith })).toBeRefused(
      organisations.NoActiveMembership,
    );
    // Only who knows the password learns that there is an account.
    const wrong = await users.call(sessions.login, { body: { ...signInWith, password: 'wrong horse' } });
    expect(wrong.problem?.code).toBe('users.wrong-credentials');
    expect(await eventsAbout(boris, members.suspended.type)).toMatchObject([
      { actorid: anna.user.id, data: { userId: boris.user.id, roles: ['accountant'] } },
    ]);
    const ended = (await users.events()).filter(({ type }) => type === sessions.ended.type);
    expect(ended.map(({ data }) => data)).toContainEqual({
      sessionId: claimsOf(boris).sid,
      userId: boris.user.id,
      reason: 'membership',
    });
  });

  it('is refused by a verifier within seconds', async () => {
    await users.call(members.suspend, of(boris), await as(anna));
    let status = 200;
    for (let tries = 0; status === 200 && tries < 100; tries += 1) {
      status = (await users.call(organisations.listMemberships, {}, { as: boris.accessToken })).status;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(status).toBe(401);
  });

  it('is reinstated with the earlier roles, in a new membership period', async () => {
    const token = await as(anna);
    await users.call(members.suspend, of(boris), token);
    clock.advance(5 * minutes);
    const back = await users.call(members.reinstate, of(boris), token);
    expect(back.body).toMatchObject({ state: 'active', roles: ['accountant'] });
    expect(claimsOf(await people.signIn(boris.user.email)).roles).toEqual(['accountant']);
    const periods = await sql<{ began_at: Date; ended_at: Date | null }>(
      'select * from member_period where person_id = $1 order by began_at',
      boris.user.id,
    );
    expect(periods).toHaveLength(2);
    expect((periods[1]?.began_at.getTime() ?? 0) - (periods[0]?.ended_at?.getTime() ?? 0)).toBe(5 * minutes);
    expect(await eventsAbout(boris, members.reinstated.type)).toHaveLength(1);
  });

  it('is suspended once, however often it is requested, also while joining', async () => {
    const token = await as(anna);
    for (let n = 0; n < 2; n += 1)
      expect((await users.call(members.suspend, of(boris), token)).status).toBe(200);
    expect(await eventsAbout(boris, members.suspended.type)).toHaveLength(1);
    for (let n = 0; n < 2; n += 1) {
      expect((await users.call(members.reinstate, of(boris), token)).body.state).toBe('active');
    }
    expect(await eventsAbout(boris, members.reinstated.type)).toHaveLength(1);
  });

  it('gets no token with rights when signing in at the same time', async () => {
    const token = await as(anna);
    const credentials = { body: { email: boris.user.email, password } };
    const [answers] = await Promise.all([
      Promise.all([1, 2, 3].map(() => users.call(sessions.login, credentials))),
      users.call(members.suspend, of(boris), token),
    ]);
    for (const answer of answers) {
      if (answer.status === 200) expect(await isVoid(answer.body as identity.SignedIn)).toBe(true);
      else expect(answer).toBeRefused(organisations.NoActiveMembership);
    }
  });
});

describe('a removed member', () => {
  it('loses roles, sessions and API keys, while the person and the history stay', async () => {
    const key = await users.call(
      apiKeys.createOwn,
      { body: { keyId: newId(), name: 'Import', scopes: ['accounting.*'] } },
      await as(boris),
    );
    expect(key.status).toBe(201);
    const answer = await users.call(members.remove, of(boris), await as(anna));
    expect(answer.body.state).toBe('left');
    expect(await refreshed(boris)).toBeRefused(credentials.RefreshTokenRefused);
    const left = await everythingAbout(boris);
    expect(left).toMatchObject({ member: [{ state: 'left' }], places: [] });
    expect(left.periods).toMatchObject([{ ended_at: expect.any(Date) }]);
    expect(left.roles).toMatchObject([{ revoked_at: expect.any(Date), revoked_by: anna.user.id }]);
    expect(
      await sql('select * from api_key where person_id = $1 and revoked_at is null', boris.user.id),
    ).toEqual([]);
    expect(await eventsAbout(boris, members.removed.type)).toMatchObject([
      { data: { roles: ['accountant'] } },
    ]);
    // Again changes nothing; suspending or reinstating needs an invitation first.
    expect((await users.call(members.remove, of(boris), await as(anna))).status).toBe(200);
    expect(await eventsAbout(boris, members.removed.type)).toHaveLength(1);
    expect(await users.call(members.suspend, of(boris), await as(anna))).toBeRefused(members.MemberHasLeft);
    expect(await users.call(members.reinstate, of(boris), await as(anna))).toBeRefused(members.MemberHasLeft);
    expect(await everythingAbout(boris)).toEqual(left);
  });

  it('continues in another organisation they belong to', async () => {
    const oak = await people.organisation('Oak');
    await people.member(oak, ['user'], { who: boris });
    await sql(
      'update person set last_tenant_id = $1 where person_id = $2',
      anna.organisation.id,
      boris.user.id,
    );
    await users.call(members.remove, of(boris), await as(anna));
    expect((await people.signIn(boris.user.email)).organisation.name).toBe('Oak');
  });
});

describe('suspending, reinstating and removing members', () => {
  const decisions = { suspend: members.suspend, reinstate: members.reinstate, remove: members.remove };

  it.each(Object.entries(decisions))(
    'to %s needs the permission, and stores nothing without',
    async (_, decision) => {
      const clerk = await as(boris);
      const before = await everythingAbout(anna);
      expect(await users.call(decision, of(anna), clerk)).toBeRefused(Forbidden);
      expect(await everythingAbout(anna)).toEqual(before);
    },
  );

  it.each(Object.entries(decisions))('%s finds no member of another organisation', async (_, decision) => {
    const stranger = await people.organisation('Oak');
    const token = await as(stranger);
    const before = await everythingAbout(boris);
    expect(await users.call(decision, of(boris), token)).toBeRefused(Absent, { resource: 'member' });
    expect(await users.call(members.get, of(boris), token)).toBeRefused(Absent, { resource: 'member' });
    const nobody = { params: { memberId: newId() } };
    expect(await users.call(decision, nobody, token)).toBeRefused(Absent, { resource: 'member' });
    expect(await everythingAbout(boris)).toEqual(before);
  });

  it.each(Object.entries(decisions))('%s is refused for oneself', async (_, decision) => {
    await people.member(anna, ['admin']);
    const token = await as(anna);
    const before = await everythingAbout(anna);
    expect(await users.call(decision, of(anna), token)).toBeRefused(members.OwnMembership);
    const shouted = { params: { memberId: anna.user.id.toUpperCase() } };
    expect(await users.call(decision, shouted, token)).toBeRefused(members.OwnMembership);
    expect(await everythingAbout(anna)).toEqual(before);
  });

  it('never affects the last administrator', async () => {
    // One whose role runs out does not count: afterwards there would be nobody.
    const clara = await people.member(anna, ['admin']);
    const endsAt = (until: Date | null) =>
      sql('update role_assignment set valid_until = $2 where person_id = $1', clara.user.id, until);
    await endsAt(new Date(clock.now().getTime() + 60 * minutes));
    const token = await as(clara);
    const before = await everythingAbout(anna);
    expect(await users.call(members.suspend, of(anna), token)).toBeRefused(organisations.LastAdministrator);
    expect(await users.call(members.remove, of(anna), token)).toBeRefused(organisations.LastAdministrator);
    expect(await everythingAbout(anna)).toEqual(before);
    await endsAt(null);
    expect((await users.call(members.remove, of(anna), token)).status).toBe(200);
  });

  it('is allowed for anyone with the permission, except against members with more rights over people', async () => {
    const roleNames = { people: ['users.member.*'], roles: ['users.role.assign'] };
    await people.plantRoles(anna.organisation.id, roleNames);
    const [helper, colleague, assigner, accountant] = [
      await people.member(anna, ['people']),
      await people.member(anna, ['people']),
      await people.member(anna, ['roles']),
      await people.member(anna, ['accountant']),
    ];
    const token = await as(helper);
    for (const decision of Object.values(decisions)) {
      const before = await everythingAbout(assigner);
      const refused = await users.call(decision, of(assigner), token);
      if (decision === members.reinstate)
        expect(refused.status).toBe(200); // nothing to do
      else expect(refused).toBeRefused(roles.GrantsBeyondOwn, { grants: ['users.role.assign'] });
      expect(await everythingAbout(assigner)).toEqual(before);
    }
    expect(await users.call(members.remove, of(anna), token)).toBeRefused(roles.GrantsBeyondOwn);
    await users.call(members.suspend, of(assigner), await as(anna));
    expect(await users.call(members.reinstate, of(assigner), token)).toBeRefused(roles.GrantsBeyondOwn);
    for (const decision of [members.suspend, members.reinstate, members.remove]) {
      expect((await users.call(decision, of(accountant), token)).status).toBe(200);
      expect((await users.call(decision, of(colleague), token)).status).toBe(200);
    }
  });

  it('keeps one of two administrators who remove each other at the same time', async () => {
    const clara = await people.member(anna, ['admin']);
    const [one, other] = [await as(anna), await as(clara)];
    const answers = await raceAt(
      users,
      anna.organisation.id,
      {
        sql: 'select from member where person_id = any($1) for update',
        values: [[anna.user.id, clara.user.id]],
      },
      [() => users.call(members.remove, of(clara), one), () => users.call(members.remove, of(anna), other)],
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 422]);
  });
});

describe('leaving an organisation', () => {
  it("ends the caller's membership and its sessions, and keeps the account", async () => {
    const answer = await users.call(organisations.leave, {}, await as(boris));
    expect(answer.status).toBe(204);
    expect(await isVoid(boris)).toBe(true);
    expect(await refreshed(boris)).toBeRefused(credentials.RefreshTokenRefused);
    expect(await eventsAbout(boris, members.left.type)).toMatchObject([{ actorid: boris.user.id }]);
    expect(await sql('select * from person where person_id = $1', boris.user.id)).toHaveLength(1);
    const signInWith = { email: boris.user.email, password };
    expect(await users.call(sessions.login, { body: signInWith })).toBeRefused(
      organisations.NoActiveMembership,
    );
  });

  it('requires a recent proof of identity', async () => {
    clock.advance(11 * minutes);
    const old = (await refreshed(boris)).body;
    const before = await everythingAbout(boris);
    expect(await users.call(organisations.leave, {}, { as: old.accessToken })).toBeRefused(StepUpRequired);
    expect(await everythingAbout(boris)).toEqual(before);
  });

  it('is refused for the last administrator, and for one of two who leave at the same time', async () => {
    const alone = await as(anna);
    const before = await everythingAbout(anna);
    expect(await users.call(organisations.leave, {}, alone)).toBeRefused(organisations.LastAdministrator);
    expect(await everythingAbout(anna)).toEqual(before);
    const clara = await people.member(anna, ['admin']);
    const tokens = [await as(anna), await as(clara)];
    // Both have looked who else is there before either has gone.
    const answers = await raceAt(
      users,
      anna.organisation.id,
      {
        sql: 'select from member where person_id = any($1) for update',
        values: [[anna.user.id, clara.user.id]],
      },
      tokens.map((token) => () => users.call(organisations.leave, {}, token)),
    );
    expect(statusesOf(answers)).toEqual([204, 422]);
    const left = await sql(
      "select * from member where tenant_id = $1 and state = 'active' and person_id = any($2)",
      anna.organisation.id,
      [anna.user.id, clara.user.id],
    );
    expect(left).toHaveLength(1);
  });
});
