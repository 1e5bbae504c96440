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

describe('registering with an account that has no active membership', () => {
  beforeEach(() => leave(boris));

  it('founds an organisation with the existing account and signs in there', async () => {
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

  it('gives the same reply for a wrong password as for an unknown address, and stores nothing', async () => {
    const before = await stored();
    const wrong = await register({ password: 'wrong horse battery' });
    const nobody = await register({ email: 'nobody@example.com' });
    for (const answer of [wrong, nobody]) expect(answer).toBeRefused(credentials.WrongCredentials);
    expect(wrong.json).toEqual({ ...(nobody.json as object), requestId: expect.any(String) });
    expect(await stored()).toEqual(before);
  });

  it('limits attempts as a sign-in does, and records them in the audit', async () => {
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

  it('founds one organisation when several requests run at the same time', async () => {
    const before = await stored();
    const answers = await Promise.all(Array.from({ length: 5 }, () => register()));
    expect(statusesOf(answers)).toEqual([201, 409, 409, 409, 409]);
    expect((await stored()).organisations).toBe(before.organisations + 1);
  });

  it('is refused once the person is a member again: they sign in and found it there, and a repeated request founds nothing', async () => {
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

it('registering also works for a person whose memberships are all suspended', async () => {
  const host = await people.organisation('Oak');
  const guest = await people.member(host);
  await users.database.sql("update workplace set state = 'suspended' where person_id = $1", [guest.user.id]);
  await users.database.sql("update member set state = 'suspended' where person_id = $1", [guest.user.id]);
  const made = await entered({ email: guest.user.email });
  expect(made.organisation).toMatchObject({ name: 'Birch', language: 'en' });
});

describe('registering with a second factor', () => {
  it('asks for it and registers nothing before the answer', async () => {
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

  it('accepts a passkey or a recovery code, and reports a used code by e-mail', async () => {
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

  it('registers nothing after a wrong answer, and too many wrong answers end the challenge', async () => {
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

  it('accepts the challenge only for registering, from this person, and until the password changes', async () => {
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

  it('accepts a code once when it is sent twice at the same moment', async () => {
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

it('leaving an organisation revokes the personal API keys there', async () => {
  const body = { keyId: newId(), name: 'Import', scopes: ['accounting.*'] };
  await users.call(apiKeys.createOwn, { body }, { as: boris.signedIn.accessToken });
  await leave(boris);
  await entered();
  const keys = await users.database.sql('select from api_key where person_id = $1 and revoked_at is null', [
    boris.id,
  ]);
  expect(keys).toEqual([]);
});
