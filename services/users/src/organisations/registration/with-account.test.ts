import { newId } from '@marimo/contracts';
import {
  apiKeys,
  credentials,
  founding,
  identity,
  organisations,
  secondFactors,
  sessions,
} from '@marimo/contracts/users';
import { testClock } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import { type PersonUnderTest, personUnderTest, wrongCode } from '../../../test/person-with-factors.ts';
import { statusesOf } from '../../../test/race.ts';
import { useUsers } from '../../../test/use-users.ts';

const clock = testClock(new Date().toISOString());
const users = useUsers({ clock: clock.now });

const people = peopleOf(() => users, clock.now);
let boris: PersonUnderTest;
beforeEach(async () => {
  boris = await personUnderTest(users, clock);
});

/** Somebody else is made an administrator, and they go. */
async function leave(person: PersonUnderTest): Promise<void> {
  await people.member(person.signedIn, ['admin']);
  await users.call(organisations.leave, {}, { as: person.signedIn.accessToken });
}
const registering = (changes: object = {}) => ({
  organisation: 'Birch',
  email: boris.email,
  password,
  baseCurrency: 'EUR',
  ...changes,
});
const register = (changes: object = {}) =>
  users.call(founding.registerWithAccount, { body: registering(changes) });
const entered = async (changes: object = {}) => identity.SignedIn.parse((await register(changes)).body);
const asked = async () => {
  const answer = await register();
  expect(answer.status).toBe(202);
  return secondFactors.SecondFactorAsked.parse(answer.body);
};
const stored = async () => ({
  organisations: (await users.rows('organisation')).length,
  members: (await users.rows('member')).length,
  sessions: (await users.rows('session')).length,
});

describe('somebody who has left every organisation', () => {
  beforeEach(() => leave(boris));

  it('registers one of their own with the account they have, and is signed in there', async () => {
    expect(await users.call(sessions.login, { body: { email: boris.email, password } })).toBeRefused(
      organisations.NoActiveMembership,
    );
    const made = await entered();
    expect(made.user).toMatchObject({ id: boris.id, name: 'Anna', email: boris.email });
    expect(made.organisation).toMatchObject({ name: 'Birch', baseCurrency: 'EUR', language: 'en' });
    expect(claimsOf(made)).toMatchObject({ tid: made.organisation.id, roles: ['admin'], amr: ['pwd'] });
    const places = await users.call(organisations.listMemberships, {}, { as: made.accessToken });
    expect(places.body.items.map(({ name }) => name)).toEqual(['Birch']);
    expect((await boris.enter()).organisation.id).toBe(made.organisation.id);
    const events = (await users.events()).filter(({ subject }) => subject === made.organisation.id);
    expect(events).toMatchObject([
      { type: sessions.organisationRegistered.type, tenantid: made.organisation.id, actorid: boris.id },
    ]);
  });

  it('gets the same answer for a wrong password as for an address nobody has, and stores nothing', async () => {
    const before = await stored();
    const wrong = await register({ password: 'wrong horse battery' });
    const nobody = await register({ email: 'nobody@example.com' });
    for (const answer of [wrong, nobody]) expect(answer).toBeRefused(credentials.WrongCredentials);
    expect(wrong.json).toEqual({ ...(nobody.json as object), requestId: expect.any(String) });
    expect(await stored()).toEqual(before);
  });

  it('is guessed no faster than at a sign-in, and it is noted', async () => {
    const guess = () => register({ password: 'wrong horse battery' });
    for (let n = 0; n < 5; n += 1) await guess();
    for (let n = 0; n < 5; n += 1) {
      await users.call(sessions.login, { body: { email: boris.email, password: 'wrong horse battery' } });
    }
    expect(await guess()).toBeRefused(credentials.TooManyAttempts);
    for (let tries = 0; tries < 100 && (await failures()).length < 10; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await failures()).toHaveLength(10);
  });

  it('registers one of several that are sent at once', async () => {
    const before = await stored();
    const answers = await Promise.all(Array.from({ length: 5 }, () => register()));
    expect(statusesOf(answers)).toEqual([201, 409, 409, 409, 409]);
    expect((await stored()).organisations).toBe(before.organisations + 1);
  });

  it('who works somewhere again signs in and founds it there, and a repetition founds nothing', async () => {
    await entered();
    const before = await stored();
    expect(await register()).toBeRefused(founding.SignInToFound);
    expect(await stored()).toEqual(before);
  });

  async function failures() {
    return (await users.events()).filter(
      ({ type, subject }) => type === sessions.signInFailed.type && subject === boris.id,
    );
  }
});

it('is the same for who is only suspended where they are', async () => {
  const host = await people.organisation('Oak');
  const guest = await people.member(host);
  await users.database.sql("update workplace set state = 'suspended' where person_id = $1", [guest.user.id]);
  await users.database.sql("update member set state = 'suspended' where person_id = $1", [guest.user.id]);
  const made = await entered({ email: guest.user.email });
  expect(made.organisation).toMatchObject({ name: 'Birch', language: 'en' });
});

describe('who has a second factor', () => {
  it('is asked for it, and nothing is registered before the answer', async () => {
    const app = await boris.addApp();
    await boris.enterWith(app);
    await leave(boris);
    const before = await stored();
    const { challenge, factors } = await asked();
    expect(factors).toEqual(['totp', 'recovery-code']);
    expect(await stored()).toEqual(before);
    const made = await entered({ secondFactor: { challenge, code: app.nextCode() } });
    expect(claimsOf(made).amr).toEqual(['pwd', 'otp', 'mfa']);
    expect(await register({ secondFactor: { challenge, code: app.nextCode() } })).toBeRefused(
      founding.SignInToFound,
    );
  });

  it('proves it with a passkey or a recovery code too, and is told by mail of the code', async () => {
    const { recoveryCodes, ...device } = await boris.addDevice();
    const { challenge: first, passkeyOptions: options } = await boris.ask();
    const passkey = options && device.sign(options);
    boris.signedIn = (
      await users.call(secondFactors.finishLogin, { body: { challenge: first, passkey } })
    ).body;
    await leave(boris);
    const { challenge } = await asked();
    const made = await entered({ secondFactor: { challenge, recoveryCode: recoveryCodes[0] } });
    expect(claimsOf(made).amr).toEqual(['pwd', 'recovery', 'mfa']);
    const used = (await users.events()).filter(({ type }) => type === secondFactors.recoveryCodeUsed.type);
    expect(used).toMatchObject([{ tenantid: boris.tenantId, subject: boris.id }]);
  });

  it('registers nothing with a wrong answer, and too many end the question', async () => {
    const app = await boris.addApp();
    await boris.enterWith(app);
    await leave(boris);
    const { challenge } = await asked();
    const before = await stored();
    const wrong = () => register({ secondFactor: { challenge, code: wrongCode(app) } });
    expect(await wrong()).toBeRefused(secondFactors.ProofRefused);
    for (let n = 1; n < 5; n += 1) {
      clock.advance(60_000 * n);
      await wrong();
    }
    const late = await register({ secondFactor: { challenge, code: app.nextCode() } });
    expect(late).toBeRefused(secondFactors.SignInChallengeRefused);
    expect(await stored()).toEqual(before);
  });

  it('can use the question neither to sign in, nor for somebody else, nor after another password', async () => {
    const app = await boris.addApp();
    await boris.enterWith(app);
    await leave(boris);
    const { challenge } = await asked();
    const code = app.nextCode();
    expect(await users.call(secondFactors.finishLogin, { body: { challenge, code } })).toBeRefused(
      secondFactors.SignInChallengeRefused,
    );

    const other = await personUnderTest(users, clock);
    const theirs = await other.addApp();
    await other.enterWith(theirs);
    await leave(other);
    const answer = { challenge, code: theirs.nextCode() };
    const stolen = await register({ email: other.email, secondFactor: answer });
    expect(stolen).toBeRefused(secondFactors.SignInChallengeRefused);

    await users.database.sql(
      'update person set password_hash = (select password_hash from person where person_id = $2) where person_id = $1',
      [boris.id, other.id],
    );
    const late = await register({ secondFactor: { challenge, code: app.nextCode() } });
    expect(late).toBeRefused(secondFactors.SignInChallengeRefused);
  });

  it('proves one of two at once with one code', async () => {
    const app = await boris.addApp();
    await boris.enterWith(app);
    await leave(boris);
    const questions = [await asked(), await asked()];
    const before = await stored();
    const code = app.nextCode();
    const answers = await Promise.all(
      questions.map(({ challenge }) => register({ secondFactor: { challenge, code } })),
    );
    // The other one finds the code spent, or the organisation there.
    expect([
      [201, 401],
      [201, 409],
    ]).toContainEqual(statusesOf(answers));
    expect((await stored()).organisations).toBe(before.organisations + 1);
  });
});

it('leaves nobody an API key of the organisation that was left', async () => {
  const body = { keyId: newId(), name: 'Import', scopes: ['accounting.*'] };
  await users.call(apiKeys.createOwn, { body }, { as: boris.signedIn.accessToken });
  await leave(boris);
  await entered();
  const keys = await users.database.sql('select from api_key where person_id = $1 and revoked_at is null', [
    boris.id,
  ]);
  expect(keys).toEqual([]);
});
