import { inspect } from 'node:util';
import { credentials, people, secondFactors, sessions } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { mailOf, tokenOf } from '../../../test/mail.ts';
import { password } from '../../../test/organisation-with-people.ts';
import {
  type AppUnderTest,
  annaUnderTest,
  type PersonUnderTest,
  personUnderTest,
  wrongCode,
} from '../../../test/person-with-factors.ts';
import { raceAt, statusesOf } from '../../../test/race.ts';
import { challengeHash } from './challenge-text.ts';

const { clock, present } = annaUnderTest();
const minutes = 60_000;

let users: ServiceUnderTest;
let anna: PersonUnderTest;
let app: AppUnderTest;
beforeEach(async () => {
  ({ users, anna } = present());
  app = await anna.addApp();
});

const finish = (body: object) =>
  users.call(secondFactors.finishLogin, { body: body as { challenge: string } });
const eventsOf = async (type: string, subject: string) =>
  (await users.events()).filter((each) => each.type === type && each.subject === subject);

describe('signing in with a second factor', () => {
  it('asks for it after the right password, and begins no session yet', async () => {
    const before = (await users.rows('session')).length;
    const asked = await anna.ask();
    expect(asked).toEqual({
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      expiresIn: 300,
      factors: ['totp', 'recovery-code'],
    });
    expect(await users.rows('session')).toHaveLength(before);
    expect(JSON.stringify(await users.rows('challenge'))).not.toContain(asked.challenge);
  });

  it('begins a session that records both factors', async () => {
    const { accessToken, user } = await anna.enterWith(app);
    expect(user.id).toBe(anna.id);
    expect(claimsOf(accessToken).amr).toEqual(['pwd', 'otp', 'mfa']);
    const [started] = await eventsOf(sessions.started.type, claimsOf(accessToken).sid);
    expect(started?.data).toMatchObject({ method: 'password', methods: ['pwd', 'otp', 'mfa'] });
  });

  it('does not reveal it before the password is right', async () => {
    const plain = await personUnderTest(users, clock);
    const [with_, without, nobody] = await Promise.all(
      [anna.email, plain.email, 'nobody@example.com'].map((email) =>
        users.call(sessions.login, { body: { email, password: 'wrong horse' } }),
      ),
    );
    for (const answer of [with_, without, nobody]) expect(answer).toBeRefused(credentials.WrongCredentials);
    const telling = (answer: typeof with_) => ({ ...(answer?.json as object), requestId: '' });
    expect(telling(with_)).toEqual(telling(without));
    expect(telling(nobody)).toEqual(telling(without));
  });

  it("refuses another person's code", async () => {
    const boris = await personUnderTest(users, clock);
    const other = await boris.addApp();
    const { challenge } = await anna.ask();
    expect(await finish({ challenge, code: other.nextCode() })).toBeRefused(secondFactors.ProofRefused);
    expect(await finish({ challenge, code: app.code() })).toMatchObject({ status: 200 });
  });

  it('accepts a code with spaces, and refuses malformed ones', async () => {
    const { challenge } = await anna.ask();
    const code = app.nextCode();
    for (const wrong of ['12345', '1234567', 'abcdef', '', '１２３４５６', '1'.repeat(10_000)]) {
      expect((await finish({ challenge, code: wrong })).status).toBe(400);
    }
    expect((await finish({ challenge })).status).toBe(400);
    expect((await finish({ challenge, code, recoveryCode: app.recoveryCodes[0] })).status).toBe(400);
    expect((await finish({ challenge, code: `${code.slice(0, 3)} ${code.slice(3)}` })).status).toBe(200);
  });
});

describe('an authenticator code', () => {
  it('works once, also when sent twice at the same moment', async () => {
    const challenges = await Promise.all(Array.from({ length: 6 }, async () => (await anna.ask()).challenge));
    const code = app.nextCode();
    const answers = await Promise.all(challenges.map((challenge) => finish({ challenge, code })));
    expect(statusesOf(answers)).toEqual([200, 401, 401, 401, 401, 401]);
  });

  it('used to confirm the app cannot be used to sign in', async () => {
    const { challenge } = await anna.ask();
    expect(await finish({ challenge, code: app.code() })).toBeRefused(secondFactors.ProofRefused);
  });

  it('is accepted for the previous, present and next step only', async () => {
    clock.advance(5 * minutes);
    const { challenge } = await anna.ask();
    expect(await finish({ challenge, code: app.code(-2) })).toBeRefused(secondFactors.ProofRefused);
    expect(await finish({ challenge, code: app.code(2) })).toBeRefused(secondFactors.ProofRefused);
    expect(await finish({ challenge, code: app.code(1) })).toMatchObject({ status: 200 });
    const again = await anna.ask();
    expect(await finish({ challenge: again.challenge, code: app.code(0) })).toBeRefused(
      secondFactors.ProofRefused,
    );
  });
});

describe('the challenge of a sign-in', () => {
  it('works once', async () => {
    const { challenge } = await anna.ask();
    expect((await finish({ challenge, code: app.nextCode() })).status).toBe(200);
    expect(await finish({ challenge, code: app.nextCode() })).toBeRefused(
      secondFactors.SignInChallengeRefused,
    );
  });

  it('works once when two right answers come at the same moment', async () => {
    clock.advance(5 * minutes);
    const { challenge } = await anna.ask();
    const [recoveryCode] = app.recoveryCodes;
    const lock = {
      sql: 'select from challenge where challenge_hash = $1 for update',
      values: [challengeHash(challenge)],
    };
    type Answer = Awaited<ReturnType<typeof finish>>;
    const answers = await raceAt<[Answer, Answer]>(users, anna.tenantId, lock, [
      () => finish({ challenge, code: app.code() }),
      () => finish({ challenge, recoveryCode }),
    ]);
    expect(statusesOf(answers)).toEqual([200, 401]);
  });

  it('expires after five minutes', async () => {
    const { challenge } = await anna.ask();
    clock.advance(5 * minutes);
    expect(await finish({ challenge, code: app.code() })).toBeRefused(secondFactors.SignInChallengeRefused);
  });

  it('ends with the fifth wrong answer, and publishes an event', async () => {
    const { challenge } = await anna.ask();
    for (let n = 0; n < 5; n += 1) {
      expect(await finish({ challenge, code: wrongCode(app) })).toBeRefused(secondFactors.ProofRefused);
    }
    const [recoveryCode] = app.recoveryCodes;
    expect(await finish({ challenge, recoveryCode })).toBeRefused(secondFactors.SignInChallengeRefused);
    expect(await eventsOf(secondFactors.failed.type, anna.id)).toMatchObject([
      { tenantid: anna.tenantId, actorid: anna.id },
    ]);
  });

  it('ends when the password it was issued for changes', async () => {
    const { challenge } = await anna.ask();
    await users.database.sql(`update person set password_hash = password_hash || 'x' where person_id = $1`, [
      anna.id,
    ]);
    expect(await finish({ challenge, code: app.nextCode() })).toBeRefused(
      secondFactors.SignInChallengeRefused,
    );
  });

  it('begins no session by itself, and an unknown one is refused', async () => {
    const { challenge } = await anna.ask();
    for (const code of ['000000', '123456']) {
      expect(await finish({ challenge: 'A'.repeat(43), code })).toBeRefused(
        secondFactors.SignInChallengeRefused,
      );
    }
    expect((await finish({ challenge })).status).toBe(400);
    const asToken = await users.call(secondFactors.list, {}, { as: challenge });
    expect(asToken.status).toBe(401);
  });

  it('of a sign-in is refused for a passkey alone', async () => {
    const device = await anna.addDevice();
    const { passkeyOptions } = await anna.ask();
    if (passkeyOptions === undefined) throw new Error('A passkey was expected');
    const passkey = device.sign(passkeyOptions);
    expect(await users.call(secondFactors.loginWithPasskey, { body: { passkey } })).toBeRefused(
      secondFactors.ProofRefused,
    );
  });

  it('does not affect the challenge of another tab', async () => {
    const [one, two] = [await anna.ask(), await anna.ask()];
    expect((await finish({ challenge: one.challenge, code: app.nextCode() })).status).toBe(200);
    expect((await finish({ challenge: two.challenge, code: app.nextCode() })).status).toBe(200);
  });
});

describe('guessing authenticator codes', () => {
  const guess = async (times: number) => {
    const { challenge } = await anna.ask();
    for (let n = 0; n < times; n += 1) await finish({ challenge, code: wrongCode(app) });
  };

  it('is delayed after five wrong ones, longer each time, across all sign-ins', async () => {
    await guess(3);
    await guess(2);
    const { challenge } = await anna.ask();
    const slowed = await finish({ challenge, code: app.nextCode() });
    expect(slowed).toMatchObject({ status: 200 }); // 30 seconds have passed with the next code
    await guess(5);
    const waits: number[] = [];
    for (let n = 0; n < 9; n += 1) {
      const asked = await anna.ask();
      const answer = await finish({ challenge: asked.challenge, code: app.code() });
      expect(answer).toBeRefused(credentials.TooManyAttempts);
      const seconds = Number(answer.headers.get('retry-after'));
      waits.push(seconds);
      clock.advance(seconds * 1_000);
      await guess(1);
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
  });

  it('does not lock out an owner with a recovery code or a passkey', async () => {
    const device = await anna.addDevice();
    await guess(5);
    const blocked = await anna.ask();
    expect(await finish({ challenge: blocked.challenge, code: app.code(1) })).toBeRefused(
      credentials.TooManyAttempts,
    );
    const [recoveryCode] = app.recoveryCodes;
    expect((await finish({ challenge: blocked.challenge, recoveryCode })).status).toBe(200);
    const { challenge, passkeyOptions } = await anna.ask();
    if (passkeyOptions === undefined) throw new Error('A passkey was expected');
    expect((await finish({ challenge, passkey: device.sign(passkeyOptions) })).status).toBe(200);
  });

  it('starts over after a right code', async () => {
    await guess(4);
    await anna.enterWith(app);
    await guess(4);
    expect(await anna.enterWith(app)).toMatchObject({ expiresIn: 900 });
  });
});

describe('a recovery code', () => {
  it('signs in once, in any spelling, and the event tells how many are left', async () => {
    const [code = ''] = app.recoveryCodes;
    expect(app.recoveryCodes).toHaveLength(10);
    const { challenge } = await anna.ask();
    const shouted = ` ${code.toUpperCase().replaceAll('-', ' ')} `;
    const answer = await finish({ challenge, recoveryCode: shouted });
    expect(claimsOf(answer.body.accessToken).amr).toEqual(['pwd', 'recovery', 'mfa']);
    const [told] = await eventsOf(secondFactors.recoveryCodeUsed.type, anna.id);
    expect(told?.data).toMatchObject({ userId: anna.id, left: 9 });
    expect(await mailOf(users, told)).toMatchObject({ recipient: { email: anna.email }, url: null });

    const again = await anna.ask();
    expect(await finish({ challenge: again.challenge, recoveryCode: code })).toBeRefused(
      secondFactors.ProofRefused,
    );
    const listed = await users.call(secondFactors.list, {}, { as: answer.body.accessToken });
    expect(listed.body.recoveryCodesLeft).toBe(9);
  });

  it('works once when sent twice at the same moment', async () => {
    const challenges = await Promise.all(Array.from({ length: 4 }, async () => (await anna.ask()).challenge));
    const [recoveryCode] = app.recoveryCodes;
    const answers = await Promise.all(challenges.map((challenge) => finish({ challenge, recoveryCode })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('stops working once new ones are issued', async () => {
    const { accessToken } = await anna.enterWith(app);
    const renewed = await users.call(secondFactors.renewRecoveryCodes, {}, { as: accessToken });
    const { challenge } = await anna.ask();
    const [old] = app.recoveryCodes;
    expect(await finish({ challenge, recoveryCode: old })).toBeRefused(secondFactors.ProofRefused);
    const [fresh] = renewed.body.recoveryCodes;
    expect((await finish({ challenge, recoveryCode: fresh })).status).toBe(200);
  });

  it('is refused for another person', async () => {
    const boris = await personUnderTest(users, clock);
    await boris.addApp();
    const { challenge } = await boris.ask();
    expect(await finish({ challenge, recoveryCode: app.recoveryCodes[0] })).toBeRefused(
      secondFactors.ProofRefused,
    );
  });
});

it('stores no secret in readable form, in tables or events', async () => {
  const { challenge } = await anna.ask();
  await finish({ challenge, recoveryCode: app.recoveryCodes[0] });
  const tables = ['recovery_code', 'totp_secret', 'challenge', 'factor_key', 'outbox'];
  const rows = await Promise.all(tables.map((table) => users.rows(table)));
  const kept = inspect([await users.events(), rows], { depth: null, maxArrayLength: null });
  const bytes = rows.flat().flatMap((row) => Object.values(row).filter((value) => Buffer.isBuffer(value)));
  expect(bytes.length).toBeGreaterThan(20);
  for (const secret of [challenge, password, ...app.recoveryCodes]) {
    expect(kept).not.toContain(secret);
    expect(
      bytes.filter((each) => each.includes(secret) || each.includes(secret.replaceAll('-', ''))),
    ).toEqual([]);
  }
});

it('a repeated registration does not bypass the second factor', async () => {
  const body = { organisation: 'Pine', name: 'Anna', email: 'again@example.com', password };
  const send = () => users.call(sessions.register, { body, idempotencyKey: 'once' });
  const first = await send();
  await users.database.sql(
    `insert into second_factor (factor_id, person_id, kind, name, begun_at, added_at)
     values (gen_random_uuid(), $1, 'totp', 'Telephone', now(), now())`,
    [first.body.user.id],
  );
  expect((await send()).status).toBe(409);
});

it('a password reset does not bypass the second factor', async () => {
  const { challenge } = await anna.ask();
  await users.call(people.askPasswordReset, { body: { email: anna.email } });
  const [asked] = await eventsOf(people.passwordResetAsked.type, anna.id);
  const token = await tokenOf(users, asked);
  const newPassword = 'an entirely different horse';
  expect(
    (await users.call(people.finishPasswordReset, { body: { token, password: newPassword } })).status,
  ).toBe(200);
  expect(await finish({ challenge, code: app.nextCode() })).toBeRefused(secondFactors.SignInChallengeRefused);
  const again = await users.call(sessions.login, { body: { email: anna.email, password: newPassword } });
  expect(again.status).toBe(202);
});
