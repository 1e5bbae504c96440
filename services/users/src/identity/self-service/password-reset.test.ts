import { MalformedRequest, newId, TooManyRequests } from '@marimo/contracts';
import { credentials, type identity, mailLinks, people, sessions } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { testClock } from '@marimo/testing';
import { mailOf, tokenOf } from '../../../test/mail.ts';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import { raceAt } from '../../../test/race.ts';
import { useUsers } from '../../../test/use-users.ts';
import { sendLink } from './password-reset.ts';

const clock = testClock(new Date().toISOString());
const wanted = 'seven lazy marmots sleep';
const users = useUsers({ clock: clock.now });
const staff = peopleOf(() => users, clock.now);
let anna: identity.SignedIn;
beforeEach(async () => {
  anna = await staff.organisation();
});

let count = 0;
const ask = (email = anna.user.email, address?: string) => {
  count += 1;
  const headers = { 'x-forwarded-for': address ?? `10.1.${count >> 8}.${count & 255}` };
  return users.call(people.askPasswordReset, { body: { email } }, { headers });
};
const asked = async (userId = anna.user.id) =>
  (await users.events()).filter(
    ({ type, subject }) => type === people.passwordResetAsked.type && subject === userId,
  );
const askedToken = async () => {
  await ask();
  return tokenOf(users, (await asked()).at(-1));
};
const finish = (token: string, next = wanted) =>
  users.call(people.finishPasswordReset, { body: { token, password: next } });
const signsIn = async (given: string) =>
  (await users.call(sessions.login, { body: { email: anna.user.email, password: given } })).status === 200;

describe('asking for a new password', () => {
  it("sends a link to the account's mailbox, in any spelling of the address", async () => {
    expect((await ask(anna.user.email.toUpperCase())).status).toBe(202);
    const { url, recipient, purpose } = await mailOf(users, (await asked())[0]);
    expect(recipient).toEqual({ email: anna.user.email, name: 'Anna', language: 'en' });
    expect([purpose, url]).toEqual(['reset-password', expect.stringContaining('/#/reset-password/')]);
  });

  it("publishes neither the person's address nor the secret", async () => {
    const token = await askedToken();
    const [event] = await asked();
    expect(event?.actorid).toBeUndefined();
    expect(JSON.stringify(event)).not.toMatch(new RegExp(`${anna.user.email}|${token}`));
  });

  it('gives the same reply for every address', async () => {
    await users.database.sql('update person set password_hash = null where person_id = $1', [anna.user.id]);
    const elsewhere = await ask();
    const known = await ask((await staff.organisation()).user.email);
    const unknown = await ask(`${newId()}@example.com`);
    const shown = ({ status, headers, json }: typeof known) => {
      const { date: _, 'x-request-id': __, ...rest } = Object.fromEntries(headers);
      return { status, rest, json };
    };
    expect(shown(unknown)).toEqual(shown(known));
    expect(shown(elsewhere)).toEqual(shown(known));
  });

  it('takes as many statements and writes for an unknown address as for a known one', async () => {
    const stepsFor = async (email: string) => {
      const steps: string[] = [];
      const outbox = {
        add: async (tx: Transaction) => void (await tx.run('insert into the outbox of nobody')),
        addAll: async () => {},
      };
      await users.database.database
        .withoutTenant((tx) => sendLink(noting(tx, steps), { outbox, clock: clock.now }, email))
        .catch(() => {}); // the made-up statement fails: only the steps count here
      return steps;
    };
    const known = await stepsFor(anna.user.email);
    expect(known).toEqual(['select', 'tenant', 'insert', 'insert']);
    expect(await stepsFor(`${newId()}@example.com`)).toEqual(known);
  });

  it('stores nothing of an unknown address', async () => {
    const email = `${newId()}@example.com`;
    await ask(email);
    expect(JSON.stringify(await users.rows('mail_link'))).not.toContain(email);
    expect((await users.events()).map((event) => JSON.stringify(event)).join()).not.toContain(email);
  });

  it('sends at most two e-mails at once to one mailbox, and replies the same afterwards', async () => {
    for (let n = 0; n < 5; n += 1) expect((await ask()).status).toBe(202);
    expect(await asked()).toHaveLength(2);
  });

  it('is limited per network address', async () => {
    for (let n = 0; n < 20; n += 1) {
      expect((await ask(`${newId()}@example.com`, '10.9.9.9')).status).toBe(202);
    }
    expect(await ask(`${newId()}@example.com`, '10.9.9.9')).toBeRefused(TooManyRequests);
    expect((await ask(`${newId()}@example.com`)).status).toBe(202);
  });

  it.each(['', 'no address', 'a@b', `${'a'.repeat(300)}@example.com`])('refuses %j', async (email) => {
    expect(await ask(email)).toBeRefused(MalformedRequest);
  });
});

describe('the link for a new password', () => {
  it('sets it once', async () => {
    const token = await askedToken();
    expect((await finish(token)).status).toBe(200);
    expect([await signsIn(password), await signsIn(wanted)]).toEqual([false, true]);
    expect(await finish(token, 'another lazy marmot')).toBeRefused(mailLinks.LinkRefused);
    expect(await signsIn(wanted)).toBe(true);
  });

  it('works for one of two concurrent uses', async () => {
    const token = await askedToken();
    const both = await Promise.all([finish(token, `${wanted} 1`), finish(token, `${wanted} 2`)]);
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 422]);
  });

  it('stops working once a newer one was requested', async () => {
    const first = await askedToken();
    const second = await askedToken();
    expect(await finish(first)).toBeRefused(mailLinks.LinkRefused);
    expect((await finish(second)).status).toBe(200);
  });

  it('expires after an hour', async () => {
    const token = await askedToken();
    clock.advance(60 * 60_000 - 1);
    expect(await finish(token, 'weak')).toBeRefused(credentials.PasswordTooWeak); // so it is still good
    clock.advance(1);
    expect(await finish(token)).toBeRefused(mailLinks.LinkRefused);
  });

  it('stops working once the password was changed in another way', async () => {
    const token = await askedToken();
    const body = { current: password, new: wanted };
    await users.call(
      people.changePassword,
      { body },
      { as: (await staff.signIn(anna.user.email)).accessToken },
    );
    expect(await finish(token)).toBeRefused(mailLinks.LinkRefused);
  });

  it("stops working once the person's address has changed", async () => {
    const token = await askedToken();
    await users.database.sql('update person set email = $2, email_key = $2 where person_id = $1', [
      anna.user.id,
      `new${anna.user.email}`,
    ]);
    expect(await finish(token)).toBeRefused(mailLinks.LinkRefused);
  });

  it('cannot be replaced by a link for another purpose, an altered or an invented one', async () => {
    const token = await askedToken();
    const verification = (await users.events()).find(
      ({ type, subject }) => type === 'users.email-verification-asked.v1' && subject === anna.user.id,
    );
    const changed = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
    for (const other of [await tokenOf(users, verification), changed, 'A'.repeat(64), 'x', '💥']) {
      expect(await finish(other)).toBeRefused(mailLinks.LinkRefused);
    }
    expect((await finish(token)).status).toBe(200);
  });

  it('still works after a password that is too weak', async () => {
    const token = await askedToken();
    const mailbox = anna.user.email.split('@')[0] ?? '';
    for (const weak of ['short', 'Password1', `${mailbox}A1`]) {
      expect(await finish(token, weak)).toBeRefused(credentials.PasswordTooWeak);
    }
    expect((await finish(token)).status).toBe(200);
  });

  it('ends every session, signs nobody in, and verifies the mailbox', async () => {
    const phone = await staff.signIn(anna.user.email);
    const answer = await finish(await askedToken());
    expect(answer.body).toEqual({ deviceToken: expect.any(String), expiresAt: expect.any(Date) });
    for (const { refreshToken } of [anna, phone]) {
      expect((await users.call(sessions.refresh, { body: { refreshToken } })).status).toBe(401);
    }
    const ended = (await users.events()).filter(
      ({ type, data }) =>
        type === sessions.ended.type && (data as { userId: string }).userId === anna.user.id,
    );
    expect(ended.map(({ data }) => (data as { reason: string }).reason)).toEqual(['password', 'password']);
    const { body } = await users.call(sessions.login, { body: { email: anna.user.email, password: wanted } });
    const as = (body as identity.SignedIn).accessToken;
    expect((await users.call(sessions.me, {}, { as })).body.user.emailVerified).toBe(true);
  });

  it('makes the device known, so that the owner can sign in while others guess', async () => {
    const { deviceToken } = (await finish(await askedToken())).body;
    const signIn = (body: { password: string; deviceToken?: string }, address: string) =>
      users.call(
        sessions.login,
        { body: { email: anna.user.email, ...body } },
        { headers: { 'x-forwarded-for': address } },
      );
    for (let n = 0; n < 70; n += 1) await signIn({ password: 'wrong horse' }, `198.51.100.${n}`);
    expect((await signIn({ password: wanted }, '203.0.113.9')).status).toBe(429);
    expect((await signIn({ password: wanted, deviceToken }, '203.0.113.9')).status).toBe(200);
  });

  it('lets no concurrent sign-in with the old password succeed', async () => {
    const lock = {
      sql: "update person set password_hash = 'another' where person_id = $1",
      values: [anna.user.id],
    };
    const signingIn = () => users.call(sessions.login, { body: { email: anna.user.email, password } });
    const [late] = await raceAt<[Awaited<ReturnType<typeof signingIn>>]>(users, anna.organisation.id, lock, [
      signingIn,
    ]);
    expect(late).toBeRefused(credentials.WrongCredentials);
  });

  it('does not bypass the second factor', async () => {
    await users.database.sql(
      `insert into second_factor (factor_id, person_id, kind, name, begun_at, added_at)
       values ($1, $2, 'totp', 'Phone', $3, $3)`,
      [newId(), anna.user.id, clock.now()],
    );
    await finish(await askedToken());
    const answer = await users.call(sessions.login, { body: { email: anna.user.email, password: wanted } });
    expect([answer.status, answer.json]).toEqual([202, expect.not.objectContaining({ accessToken: '' })]);
    expect(await users.rows('second_factor')).toContainEqual(
      expect.objectContaining({ person_id: anna.user.id }),
    );
  });

  it('notifies the owner by e-mail', async () => {
    await finish(await askedToken());
    const [told] = (await users.events()).filter(
      ({ type, subject }) => type === people.passwordChanged.type && subject === anna.user.id,
    );
    expect(told).toMatchObject({ data: { by: 'reset' }, tenantid: anna.organisation.id });
    expect(await mailOf(users, told)).toMatchObject({ url: null, recipient: { email: anna.user.email } });
  });
});

/** The transaction, with a word for each statement that goes over it. */
function noting(tx: Transaction, steps: string[]): Transaction {
  const noted = <T>(step: string, work: Promise<T>): Promise<T> => {
    steps.push(step);
    return work;
  };
  const verb = (sql: string) => /^\s*(\w+)/.exec(sql)?.[1] ?? '';
  return {
    ...tx,
    get tenantId() {
      return tx.tenantId;
    },
    rows: (sql, values, name) => noted(verb(sql), tx.rows(sql, values, name)),
    first: (sql, values, name) => noted(verb(sql), tx.first(sql, values, name)),
    run: (sql, values, name) => noted(verb(sql), tx.run(sql, values, name)),
    enterTenant: (tenantId) => noted('tenant', tx.enterTenant(tenantId)),
  };
}
