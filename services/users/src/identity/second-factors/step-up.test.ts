import { StepUpRequired, Unauthenticated } from '@marimo/contracts';
import { credentials, secondFactors, sessions } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { password } from '../../../test/organisation-with-people.ts';
import {
  annaUnderTest,
  type PersonUnderTest,
  personUnderTest,
  wrongCode,
} from '../../../test/person-with-factors.ts';
import { statusesOf } from '../../../test/race.ts';

const { clock, present } = annaUnderTest();
const minutes = 60_000;

let users: ServiceUnderTest;
let anna: PersonUnderTest;
beforeEach(() => {
  ({ users, anna } = present());
});

const as = () => anna.signedIn.accessToken;
const verifySecondFactor = (
  body: Parameters<typeof users.call<typeof secondFactors.stepUp>>[1]['body'],
  token = as(),
) => users.call(secondFactors.stepUp, { body }, { as: token });
/** Needs a recent proof. */
const beginApp = (token = as()) =>
  users.call(secondFactors.enrolTotp, { body: { name: 'Telephone' } }, { as: token });

describe('step-up', () => {
  it('is required ten minutes after signing in, and the refusal says so', async () => {
    clock.advance(10 * minutes - 1_000);
    expect((await beginApp()).status).toBe(201);
    clock.advance(2_000);
    const late = await beginApp();
    expect(late).toBeRefused(StepUpRequired, { maxAgeSeconds: 600 });
    expect(late.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", max_age="600"',
    );
  });

  it('is not replaced by a refresh', async () => {
    clock.advance(11 * minutes);
    const { body } = await users.call(sessions.refresh, {
      body: { refreshToken: anna.signedIn.refreshToken },
    });
    expect(await beginApp(body.accessToken)).toBeRefused(StepUpRequired);
  });

  it('accepts the password of a person without a second factor, and lasts over the next refresh', async () => {
    clock.advance(11 * minutes);
    const { accessToken } = (await verifySecondFactor({ password })).body;
    const before = claimsOf(as());
    expect(claimsOf(accessToken)).toMatchObject({ sid: before.sid, amr: ['pwd'], roles: ['admin'] });
    expect(claimsOf(accessToken).auth_time).toBe(Math.floor(clock.now().getTime() / 1_000));
    expect((await beginApp(accessToken)).status).toBe(201);
    const next = await users.call(sessions.refresh, { body: { refreshToken: anna.signedIn.refreshToken } });
    expect((await beginApp(next.body.accessToken)).status).toBe(201);
    const told = (await users.events()).filter(
      ({ type, subject }) => type === secondFactors.identityProved.type && subject === before.sid,
    );
    expect(told).toMatchObject([{ actorid: anna.id, data: { userId: anna.id, methods: ['pwd'] } }]);
  });

  it('refuses the password alone of a person with a second factor', async () => {
    const app = await anna.addApp();
    await anna.enterWith(app);
    expect(await verifySecondFactor({ password })).toBeRefused(secondFactors.SecondFactorNeeded, {
      factors: ['totp', 'recovery-code'],
    });
    const { accessToken } = (await verifySecondFactor({ code: app.nextCode() })).body;
    expect(claimsOf(accessToken).amr).toEqual(['pwd', 'otp', 'mfa']);
  });

  it('accepts each code once, for sign-in and step-up together', async () => {
    const app = await anna.addApp();
    await anna.enterWith(app);
    expect(await verifySecondFactor({ code: app.code() })).toBeRefused(secondFactors.ProofRefused);
    const code = app.nextCode();
    const answers = await Promise.all([
      verifySecondFactor({ code }),
      verifySecondFactor({ code }),
      verifySecondFactor({ code }),
    ]);
    expect(statusesOf(answers)).toEqual([200, 401, 401]);
  });

  it('accepts a recovery code once', async () => {
    const { recoveryCodes } = await anna.addApp();
    const [recoveryCode = ''] = recoveryCodes;
    expect(claimsOf((await verifySecondFactor({ recoveryCode })).body.accessToken).amr).toEqual([
      'pwd',
      'recovery',
      'mfa',
    ]);
    expect(await verifySecondFactor({ recoveryCode })).toBeRefused(secondFactors.ProofRefused);
  });

  it('upgrades a session that began before the second factor', async () => {
    const app = await anna.addApp();
    const { accessToken } = (await verifySecondFactor({ code: app.nextCode() })).body;
    expect(claimsOf(accessToken).amr).toEqual(['pwd', 'otp', 'mfa']);
  });
});

describe('step-up with a passkey', () => {
  const asked = async (token = as()) =>
    (await users.call(secondFactors.challengeStepUp, {}, { as: token })).body;

  it('accepts one signature over a challenge of this session', async () => {
    const device = await anna.addDevice();
    const options = await asked();
    expect(options.allowCredentials.map(({ id }) => id)).toEqual([device.credentialId]);
    const passkey = device.sign(options);
    expect(claimsOf((await verifySecondFactor({ passkey })).body.accessToken).amr).toEqual([
      'pwd',
      'swk',
      'mfa',
    ]);
    expect(await verifySecondFactor({ passkey: device.sign(options) })).toBeRefused(
      secondFactors.ProofRefused,
    );
  });

  it('refuses a challenge of another session, of a sign-in, and an expired one', async () => {
    const device = await anna.addDevice();
    const { challenge, passkeyOptions } = await anna.ask();
    if (passkeyOptions === undefined) throw new Error('A passkey was expected');
    const ofLogin = device.sign(passkeyOptions);
    expect(await verifySecondFactor({ passkey: ofLogin })).toBeRefused(secondFactors.ProofRefused);
    const entered = await users.call(secondFactors.finishLogin, {
      body: { challenge, passkey: device.sign(passkeyOptions) },
    });
    const ofOther = device.sign(await asked(entered.body.accessToken));
    expect(await verifySecondFactor({ passkey: ofOther })).toBeRefused(secondFactors.ProofRefused);
    const late = await asked();
    clock.advance(5 * minutes);
    expect(await verifySecondFactor({ passkey: device.sign(late) })).toBeRefused(secondFactors.ProofRefused);
  });

  it('tells a person without a passkey that there is none', async () => {
    expect(await users.call(secondFactors.challengeStepUp, {}, { as: as() })).toBeRefused(
      secondFactors.SecondFactorMissing,
    );
    expect(await users.call(secondFactors.renewRecoveryCodes, {}, { as: as() })).toBeRefused(
      secondFactors.SecondFactorMissing,
    );
  });
});

describe('a failed step-up', () => {
  it('changes nothing, and after ten failures slows this session only', async () => {
    const other = as();
    await anna.enter();
    for (let n = 0; n < 10; n += 1)
      expect(await verifySecondFactor({ password: 'wrong horse' })).toBeRefused(secondFactors.ProofRefused);
    const slowed = await verifySecondFactor({ password });
    expect(slowed).toBeRefused(credentials.TooManyAttempts);
    const retryAfter = Number(slowed.headers.get('retry-after')); // some of it has passed
    expect(retryAfter > 0 && retryAfter <= 30).toBe(true);
    expect((await verifySecondFactor({ password }, other)).status).toBe(200);
  });

  it('is counted when many run at the same time', async () => {
    const guesses = Array.from({ length: 30 }, (_, n) =>
      verifySecondFactor({ password: `wrong horse ${n}` }),
    );
    expect(statusesOf(await Promise.all(guesses))).toEqual([...Array(10).fill(401), ...Array(20).fill(429)]);
  });

  it('is limited to sixty per person, over all sessions', async () => {
    const statuses: number[] = [];
    for (let session = 0; session < 7; session += 1) {
      await anna.enter();
      for (let n = 0; n < 10; n += 1)
        statuses.push((await verifySecondFactor({ password: 'wrong horse' })).status);
    }
    expect(statuses).toEqual([...Array(60).fill(401), ...Array(10).fill(429)]);
  });

  it('is not counted when another factor is required, and a success resets the count', async () => {
    for (let n = 0; n < 9; n += 1) await verifySecondFactor({ password: 'wrong horse' });
    expect((await verifySecondFactor({ password })).status).toBe(200);
    for (let n = 0; n < 9; n += 1) await verifySecondFactor({ password: 'wrong horse' });
    const app = await anna.addApp();
    for (let n = 0; n < 3; n += 1)
      expect(await verifySecondFactor({ password })).toBeRefused(secondFactors.SecondFactorNeeded);
    expect((await verifySecondFactor({ code: app.nextCode() })).status).toBe(200);
  });

  it('with codes counts together with sign-ins', async () => {
    const app = await anna.addApp();
    for (let n = 0; n < 5; n += 1)
      expect(await verifySecondFactor({ code: wrongCode(app) })).toBeRefused(secondFactors.ProofRefused);
    expect(await verifySecondFactor({ code: app.code(1) })).toBeRefused(credentials.TooManyAttempts);
    const { challenge } = await anna.ask();
    const answer = await users.call(secondFactors.finishLogin, { body: { challenge, code: app.code(1) } });
    expect(answer).toBeRefused(credentials.TooManyAttempts);
  });

  it("results from another person's code, recovery code or passkey", async () => {
    const boris = await personUnderTest(users, clock);
    const his = await boris.addApp();
    await anna.addApp();
    expect(await verifySecondFactor({ code: his.nextCode() })).toBeRefused(secondFactors.ProofRefused);
    expect(await verifySecondFactor({ recoveryCode: his.recoveryCodes[0] })).toBeRefused(
      secondFactors.ProofRefused,
    );
  });

  it.each([
    ['nothing', {}],
    ['two proofs at once', { password, code: '123456' }],
    ['a list', { code: ['123456'] }],
    ['an unknown field', { password, methods: ['mfa'] }],
  ])('that is %s is malformed', async (_, body) => {
    expect((await verifySecondFactor(body as { password: string })).status).toBe(400);
  });
});

it('step-up requires a token of a session that exists and has not ended', async () => {
  expect(await users.call(secondFactors.stepUp, { body: { password } })).toBeRefused(Unauthenticated);
  const { accessToken } = await anna.enter();
  await users.call(sessions.logout, { body: { refreshToken: anna.signedIn.refreshToken } });
  expect(await verifySecondFactor({ password }, accessToken)).toBeRefused(Unauthenticated);
  const again = await anna.enter();
  await users.database.sql('delete from session where session_id = $1', [claimsOf(again.accessToken).sid]);
  expect(await verifySecondFactor({ password })).toBeRefused(Unauthenticated);
});
