import { MalformedRequest, Unauthenticated } from '@marimo/contracts';
import {
  exchangeApiKey,
  foundOrganisation,
  listWorkplaces,
  me,
  OwnProofNeeded,
  organisationRegistered,
  type SignedIn,
  sessionEnded,
  suspendOrganisation,
} from '@marimo/contracts/users';
import { keysUnderTest } from '../../test/keys-under-test.ts';
import { claimsOf, peopleOf, statusesOf } from '../../test/workplace-under-test.ts';

const test = keysUnderTest();
const { clock } = test;
const people = peopleOf(() => test.users, clock.now);
let anna: SignedIn;
beforeEach(async () => {
  anna = await people.organisation('Pine');
});

const found = ({ accessToken }: Pick<SignedIn, 'accessToken'>, changes: object = {}) =>
  test.users.call(foundOrganisation, { body: { organisation: 'Birch', ...changes } }, { as: accessToken });
const organisations = async () => (await test.users.rows('organisation')).length;

describe('founding another organisation', () => {
  it('makes the caller its administrator and goes on there, in a session of its own', async () => {
    const { body } = await found(anna, { baseCurrency: 'EUR', timeZone: 'Asia/Omsk' });
    expect(body.organisation).toMatchObject({
      name: 'Birch',
      baseCurrency: 'EUR',
      language: 'en',
      timeZone: 'Asia/Omsk',
    });
    expect(body.user).toEqual(anna.user);
    expect(claimsOf(body)).toMatchObject({ tid: body.organisation.id, roles: ['admin'] });
    const places = await test.users.call(listWorkplaces, {}, { as: body.accessToken });
    expect(places.body.items.map(({ name }) => name)).toEqual(['Birch', 'Pine']);
    const events = await test.users.events();
    expect(events.filter(({ tenantid }) => tenantid === body.organisation.id)).toMatchObject([
      { type: organisationRegistered.type, actorid: anna.user.id, data: { admin: anna.user } },
      { actorid: anna.user.id, data: { method: 'registration' } },
    ]);
    const ended = events.filter(({ subject }) => subject === claimsOf(anna).sid).at(-1);
    expect(ended).toMatchObject({ type: sessionEnded.type, data: { reason: 'switch' } });
  });

  it('founds one of several that are sent at once or again', async () => {
    const before = await organisations();
    const answers = await Promise.all([found(anna), found(anna), found(anna)]);
    expect(statusesOf(answers)).toEqual([201, 401, 401]);
    expect(await found(anna)).toBeRefused(Unauthenticated);
    expect(await organisations()).toBe(before + 1);
  });

  it('is no proof that is younger than the sign-in was', async () => {
    const proved = claimsOf(anna).auth_time;
    clock.advance(60_000);
    expect(claimsOf((await found(anna)).body).auth_time).toBe(proved);
  });

  it('is for every member, also of an organisation that pauses', async () => {
    const boris = await people.member(anna, ['user']);
    await test.users.call(suspendOrganisation, {}, { as: await people.anew(anna) });
    clock.advance(1);
    const paused = await people.signIn(boris.user.email);
    const { body } = await found(paused);
    expect((await test.users.call(me, {}, { as: body.accessToken })).body.permissions).toEqual(['*']);
  });

  it('is not for a program, nor for who has only the word of a provider, and then nothing is stored', async () => {
    const key = (await test.makeOwnKey(anna, { scopes: ['*'] })).body;
    const { accessToken } = (await test.users.call(exchangeApiKey, { body: { key: key.key } })).body;
    const before = [await organisations(), await test.users.rows('session')];
    expect((await found({ accessToken })).status).toBe(403);
    await test.users.database.sql("update session set methods = '{fed}' where person_id = $1", [
      anna.user.id,
    ]);
    expect(await found(anna)).toBeRefused(OwnProofNeeded);
    await test.users.database.sql("update session set methods = '{pwd}' where person_id = $1", [
      anna.user.id,
    ]);
    expect([await organisations(), await test.users.rows('session')]).toEqual(before);
  });

  it.each([
    ['an empty name', { organisation: ' ' }],
    ['a currency that is none', { baseCurrency: 'euro' }],
    ['an id of its own choice', { organisationId: '0199c1f0-0000-7000-8000-000000000001' }],
  ])('refuses %s', async (_, changes) => {
    expect(await found(anna, changes)).toBeRefused(MalformedRequest);
  });
});
