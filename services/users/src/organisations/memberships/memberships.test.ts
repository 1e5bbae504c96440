import { Absent, newId, Unauthenticated } from '@marimo/contracts';
import { credentials, type identity, members, organisations, sessions } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { pineUnderTest } from '../../../test/pine-under-test.ts';
import { statusesOf } from '../../../test/race.ts';

const { clock, people, present, as, isVoid, refreshed } = pineUnderTest();
const minutes = 60_000;

let users: ServiceUnderTest;
let anna: identity.SignedIn;
let boris: identity.SignedIn;
beforeEach(() => {
  ({ users, anna, boris } = present());
});

const of = (who: identity.SignedIn) => ({ params: { memberId: who.user.id } });

describe('a person with several memberships', () => {
  let oak: identity.SignedIn;
  beforeEach(async () => {
    oak = await people.organisation('Oak');
    await people.member(oak, ['user'], { who: boris });
    boris = await people.signIn(boris.user.email);
  });
  const switchTo = (organisationId: string, token: string) =>
    users.call(organisations.switchTo, { body: { organisationId } }, { as: token });

  it('stays in the same organisation when its id is written in capitals', async () => {
    const { body } = await switchTo(anna.organisation.id.toUpperCase(), boris.accessToken);
    expect(claimsOf(body).tid).toBe(anna.organisation.id);
    expect(body.organisation.id).toBe(anna.organisation.id);
    const [begun] = (await users.events()).filter(({ subject }) => subject === claimsOf(body).sid);
    expect(begun?.tenantid).toBe(anna.organisation.id);
  });

  it('sees all organisations with the state of each membership', async () => {
    await users.call(members.suspend, of(boris), await as(anna));
    const { accessToken } = await people.signIn(boris.user.email);
    const { items } = (await users.call(organisations.listMemberships, {}, { as: accessToken })).body;
    expect(items).toEqual([
      { id: oak.organisation.id, name: 'Oak', state: 'active', membership: 'active' },
      { id: anna.organisation.id, name: 'Pine', state: 'active', membership: 'suspended' },
    ]);
  });

  it('switches with the same proof of identity and loses the session in the first organisation', async () => {
    clock.advance(5 * minutes);
    const before = (await refreshed(boris)).body;
    const there = (await switchTo(anna.organisation.id, before.accessToken)).body;
    const claims = claimsOf(there);
    expect(claims).toMatchObject({ tid: anna.organisation.id, roles: ['accountant'], amr: ['pwd'] });
    expect(claims.auth_time).toBe(claimsOf(boris).auth_time);
    expect(await isVoid(before)).toBe(true);
    expect(await refreshed(before)).toBeRefused(credentials.RefreshTokenRefused);
    const events = await users.events();
    expect(events).toContainEqual(
      expect.objectContaining({
        type: sessions.ended.type,
        tenantid: oak.organisation.id,
        data: { sessionId: claimsOf(boris).sid, userId: boris.user.id, reason: 'switch' },
      }),
    );
    expect(events).toContainEqual(
      expect.objectContaining({
        type: sessions.started.type,
        tenantid: anna.organisation.id,
        actorid: boris.user.id,
        data: { sessionId: claims.sid, userId: boris.user.id, method: 'switch', methods: ['pwd'] },
      }),
    );
    expect((await people.signIn(boris.user.email)).organisation.name).toBe('Pine');
  });

  it('does not extend the session by switching back and forth', async () => {
    clock.advance(4 * 24 * 60 * minutes);
    const there = await switchTo(anna.organisation.id, (await refreshed(boris)).body.accessToken);
    clock.advance(4 * 24 * 60 * minutes);
    expect(await refreshed(there.body)).toBeRefused(credentials.RefreshTokenRefused);
  });

  it('cannot switch to an organisation that is unknown, or that they do not belong to or are suspended in, and keeps the session', async () => {
    const elm = await people.organisation('Elm');
    await users.call(members.suspend, of(boris), await as(anna));
    const here = await people.signIn(boris.user.email);
    const answers = await Promise.all(
      [elm.organisation.id, anna.organisation.id, newId()].map((id) => switchTo(id, here.accessToken)),
    );
    const problems = answers.map(({ problem }) => JSON.stringify({ ...problem, requestId: '' }));
    for (const answer of answers) expect(answer).toBeRefused(Absent, { resource: 'organisation' });
    expect(new Set(problems).size).toBe(1);
    expect((await refreshed(here)).status).toBe(200);
  });

  it('gets one session from two concurrent switches with the same session', async () => {
    const { accessToken } = boris;
    const answers = await Promise.all([1, 2].map(() => switchTo(anna.organisation.id, accessToken)));
    expect(statusesOf(answers)).toEqual([200, 401]);
    const refused = answers.find(({ status }) => status === 401);
    expect(refused).toBeRefused(Unauthenticated);
  });
});
