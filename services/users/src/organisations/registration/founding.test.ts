import { MalformedRequest, Unauthenticated } from '@marimo/contracts';
import {
  apiKeys,
  credentials,
  founding,
  type identity,
  organisations,
  sessions,
} from '@marimo/contracts/users';
import { claimsOf } from '../../../test/claims.ts';
import { keysUnderTest } from '../../../test/keys-under-test.ts';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import { statusesOf } from '../../../test/race.ts';

const test = keysUnderTest();
const { clock } = test;
const people = peopleOf(() => test.users, clock.now);
let anna: identity.SignedIn;
beforeEach(async () => {
  anna = await people.organisation('Pine');
});

const found = ({ accessToken }: Pick<identity.SignedIn, 'accessToken'>, changes: object = {}) =>
  test.users.call(founding.found, { body: { organisation: 'Birch', ...changes } }, { as: accessToken });
const organisationCount = async () => (await test.users.rows('organisation')).length;

describe('founding another organisation', () => {
  it('makes the caller its administrator and continues there in a session of its own', async () => {
    const { body } = await found(anna, { baseCurrency: 'EUR', timeZone: 'Asia/Omsk' });
    expect(body.organisation).toMatchObject({
      name: 'Birch',
      baseCurrency: 'EUR',
      language: 'en',
      timeZone: 'Asia/Omsk',
    });
    expect(body.user).toEqual(anna.user);
    expect(claimsOf(body)).toMatchObject({ tid: body.organisation.id, roles: ['admin'] });
    const places = await test.users.call(organisations.listMemberships, {}, { as: body.accessToken });
    expect(places.body.items.map(({ name }) => name)).toEqual(['Birch', 'Pine']);
    const events = await test.users.events();
    expect(events.filter(({ tenantid }) => tenantid === body.organisation.id)).toMatchObject([
      { type: sessions.organisationRegistered.type, actorid: anna.user.id, data: { admin: anna.user } },
      { actorid: anna.user.id, data: { method: 'registration' } },
    ]);
    const ended = events.filter(({ subject }) => subject === claimsOf(anna).sid).at(-1);
    expect(ended).toMatchObject({ type: sessions.ended.type, data: { reason: 'switch' } });
  });

  it('founds one organisation for concurrent and repeated requests', async () => {
    const before = await organisationCount();
    const answers = await Promise.all([found(anna), found(anna), found(anna)]);
    expect(statusesOf(answers)).toEqual([201, 401, 401]);
    expect(await found(anna)).toBeRefused(Unauthenticated);
    expect(await organisationCount()).toBe(before + 1);
  });

  it('does not renew the proof of identity', async () => {
    const proved = claimsOf(anna).auth_time;
    clock.advance(60_000);
    expect(claimsOf((await found(anna)).body).auth_time).toBe(proved);
  });

  it('is allowed to every member, also of a suspended organisation', async () => {
    const boris = await people.member(anna, ['user']);
    await test.users.call(organisations.suspend, {}, { as: await people.anew(anna) });
    clock.advance(1);
    const paused = await people.signIn(boris.user.email);
    const { body } = await found(paused);
    expect((await test.users.call(sessions.me, {}, { as: body.accessToken })).body.permissions).toEqual([
      '*',
    ]);
  });

  it('is refused to API keys and to callers vouched for only by a provider, and stores nothing', async () => {
    const key = (await test.makeOwnKey(anna, { scopes: ['*'] })).body;
    const { accessToken } = (await test.users.call(apiKeys.exchange, { body: { key: key.key } })).body;
    const before = [await organisationCount(), await test.users.rows('session')];
    expect((await found({ accessToken })).status).toBe(403);
    await test.users.database.sql("update session set methods = '{fed}' where person_id = $1", [
      anna.user.id,
    ]);
    expect(await found(anna)).toBeRefused(credentials.OwnProofNeeded);
    await test.users.database.sql("update session set methods = '{pwd}' where person_id = $1", [
      anna.user.id,
    ]);
    expect([await organisationCount(), await test.users.rows('session')]).toEqual(before);
  });

  it.each([
    ['an empty name', { organisation: ' ' }],
    ['an invalid currency', { baseCurrency: 'euro' }],
    ['an id of its own choice', { organisationId: '0199c1f0-0000-7000-8000-000000000001' }],
  ])('refuses %s', async (_, changes) => {
    expect(await found(anna, changes)).toBeRefused(MalformedRequest);
  });
});
