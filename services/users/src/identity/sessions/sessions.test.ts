import { Unauthenticated } from '@marimo/contracts';
import { accessTokens, credentials, deviceSessions, type identity, sessions } from '@marimo/contracts/users';
import { type FaultProxy, faultProxy, testClock } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';

const clock = testClock(new Date().toISOString());
const seconds = 1_000;
const days = 24 * 60 * 60 * seconds;

const users = useUsers({ clock: clock.now });
let anna: identity.SignedIn;

beforeEach(async () => {
  anna = await peopleOf(() => users, clock.now).organisation();
});

const refreshWith = (refreshToken: string, client = 'browser') =>
  users.call(sessions.refresh, { body: { refreshToken } }, { headers: { 'user-agent': client } });
const sessionOf = (accessToken: string): string => claimsOf(accessToken).sid ?? '';
const endOf = async (sessionId: string) =>
  (await users.events()).filter(({ type, subject }) => type === sessions.ended.type && subject === sessionId);

describe('signing in', () => {
  it('begins a new session', async () => {
    const answer = await users.call(sessions.login, { body: { email: anna.user.email, password } });
    const body = answer.body as identity.SignedIn;
    expect(body).toMatchObject({ user: anna.user, organisation: anna.organisation, expiresIn: 900 });
    expect(sessionOf(body.accessToken)).not.toBe(sessionOf(anna.accessToken));
    const events = (await users.events()).filter(({ subject }) => subject === sessionOf(body.accessToken));
    expect(events).toMatchObject([
      {
        type: sessions.started.type,
        actorid: anna.user.id,
        data: { method: 'password', userId: anna.user.id },
      },
    ]);
  });

  it("with a wrong password appears in the audit of the account's organisation, without the attempt's data", async () => {
    await users.call(sessions.login, { body: { email: anna.user.email, password: 'wrong horse' } });
    const told = async () =>
      (await users.events()).filter(
        ({ type, subject }) => type === sessions.signInFailed.type && subject === anna.user.id,
      );
    for (let tries = 0; tries < 100 && (await told()).length === 0; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [failed, ...more] = await told();
    expect(more).toEqual([]);
    expect(failed).toMatchObject({ tenantid: anna.organisation.id, data: { knownDevice: false } });
    expect(failed).not.toHaveProperty('actorid');
  });

  it('replies to an unknown e-mail as to a wrong password, and stores nothing', async () => {
    const before = await users.rows('session');
    const wrong = await users.call(sessions.login, {
      body: { email: anna.user.email, password: 'wrong horse' },
    });
    const unknown = await users.call(sessions.login, { body: { email: 'nobody@example.com', password } });
    expect(wrong).toBeRefused(credentials.WrongCredentials);
    const { requestId: _, ...one } = wrong.problem ?? {};
    const { requestId: __, ...other } = unknown.problem ?? {};
    expect(other).toEqual(one);
    expect(await users.rows('session')).toEqual(before);
  });
});

describe('guessing a password', () => {
  const attempt = (given: string, address: string) =>
    users.call(
      sessions.login,
      { body: { email: anna.user.email, password: given } },
      { headers: { 'x-forwarded-for': address } },
    );

  it('is refused from its address after ten attempts, even with the right one, and nowhere else', async () => {
    for (let n = 0; n < 10; n += 1)
      expect(await attempt('wrong horse', '10.1.1.1')).toBeRefused(credentials.WrongCredentials);
    const stopped = await attempt(password, '10.1.1.1');
    expect(stopped).toBeRefused(credentials.TooManyAttempts);
    const retryAfter = Number(stopped.headers.get('retry-after')); // 30 seconds, less what the test has taken
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(30);
    expect((await attempt(password, '10.2.2.2')).status).toBe(200);
  });

  it('is not assumed for successful sign-ins, however many', async () => {
    for (let n = 0; n < 20; n += 1) expect((await attempt(password, '10.3.3.3')).status).toBe(200);
  });
});

describe('refreshing a session', () => {
  it('returns a new pair of tokens for the same session', async () => {
    const { body } = await refreshWith(anna.refreshToken);
    expect(body.refreshToken).not.toBe(anna.refreshToken);
    expect(sessionOf(body.accessToken)).toBe(sessionOf(anna.accessToken));
    expect((await users.call(sessions.me, {}, { as: body.accessToken })).status).toBe(200);
    expect((await refreshWith(body.refreshToken)).status).toBe(200);
  });

  it('stores no usable token', async () => {
    const { body } = await refreshWith(anna.refreshToken);
    const kept = JSON.stringify([await users.rows('refresh_token'), await users.rows('session')]);
    for (const { refreshToken } of [anna, body]) {
      expect(kept).not.toContain(refreshToken);
      expect(kept).not.toContain(Buffer.from(refreshToken, 'base64url').toString('hex').slice(32));
    }
  });

  it('ends the session when a used token comes again, and publishes why', async () => {
    const { body } = await refreshWith(anna.refreshToken);
    clock.advance(11 * seconds);
    expect(await refreshWith(anna.refreshToken)).toBeRefused(credentials.RefreshTokenRefused);
    expect(await refreshWith(body.refreshToken)).toBeRefused(credentials.RefreshTokenRefused);
    expect(await endOf(sessionOf(anna.accessToken))).toMatchObject([{ data: { reason: 'replay' } }]);
  });

  it('ends the session at once when another client sends a used token', async () => {
    await refreshWith(anna.refreshToken, 'browser');
    expect(await refreshWith(anna.refreshToken, 'curl')).toBeRefused(credentials.RefreshTokenRefused);
    expect(await endOf(sessionOf(anna.accessToken))).toHaveLength(1);
  });

  it('returns the same successor to concurrent requests', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => refreshWith(anna.refreshToken)));
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
    const live = (await users.rows<{ session_id: string; used_at: Date | null }>('refresh_token')).filter(
      (token) => token.session_id === sessionOf(anna.accessToken) && token.used_at === null,
    );
    expect(live).toHaveLength(1);
  });

  it('is possible until seven days after signing in, however often it was refreshed', async () => {
    let { refreshToken } = anna;
    for (let day = 1; day < 7; day += 1) {
      clock.advance(days);
      ({ refreshToken } = (await refreshWith(refreshToken)).body);
    }
    clock.advance(days - seconds);
    ({ refreshToken } = (await refreshWith(refreshToken)).body);
    clock.advance(seconds);
    expect(await refreshWith(refreshToken)).toBeRefused(credentials.RefreshTokenRefused);
  });

  it('gives no access token that outlives the session', async () => {
    clock.advance(7 * days - 60 * seconds);
    const { expiresIn } = (await refreshWith(anna.refreshToken)).body;
    expect(expiresIn).toBeLessThanOrEqual(60);
  });

  it('deletes the tokens of ended sessions at the next sign-in', async () => {
    clock.advance(8 * days);
    await users.call(sessions.login, { body: { email: anna.user.email, password } });
    const sessionRows = await users.rows<{ person_id: string }>('session');
    expect(sessionRows.filter(({ person_id }) => person_id === anna.user.id)).toHaveLength(1);
    const tokens = await users.rows<{ session_id: string }>('refresh_token');
    expect(tokens.filter(({ session_id }) => session_id === sessionOf(anna.accessToken))).toEqual([]);
  });

  it.each([
    ['nonsense', 'nonsense'],
    ['as long as a token', 'A'.repeat(64)],
    ['an access token', ''],
  ])('refuses %s', async (_, given) => {
    const text = given === '' ? anna.accessToken.slice(0, 200) : given;
    expect(await refreshWith(text)).toBeRefused(credentials.RefreshTokenRefused);
  });

  it('refuses a token that names another tenant', async () => {
    const bytes = Buffer.from(anna.refreshToken, 'base64url');
    bytes.writeUInt8(bytes.readUInt8(3) ^ 1, 3);
    expect(await refreshWith(bytes.toString('base64url'))).toBeRefused(credentials.RefreshTokenRefused);
    expect((await refreshWith(anna.refreshToken)).status).toBe(200);
  });
});

describe('a network that loses replies', () => {
  let network: FaultProxy;
  beforeAll(async () => {
    network = await faultProxy({ target: new URL(users.url).host });
  });
  afterAll(() => network?.close());

  it('signs nobody out in 200 lost replies to a refresh', async () => {
    let { refreshToken } = anna;
    const over = (address: string) =>
      fetch(`http://${address}/api/v1/users/refresh`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'portal' },
        body: JSON.stringify({ refreshToken }),
      });
    for (let lost = 0; lost < 200; lost += 1) {
      await network.set({ cutAfterBytes: 1 }); // the answer was made, and does not arrive
      await expect(over(network.address).then((answer) => answer.text())).rejects.toThrow();
      clock.advance(9 * seconds);
      const answer = await over(new URL(users.url).host);
      expect(answer.status).toBe(200);
      ({ refreshToken } = (await answer.json()) as identity.SignedIn);
    }
  });
});

describe('signing out', () => {
  it('ends the session once, and can be repeated', async () => {
    const { refreshToken } = anna;
    for (let time = 0; time < 3; time += 1) {
      expect((await users.call(sessions.logout, { body: { refreshToken } })).status).toBe(204);
    }
    expect(await refreshWith(refreshToken)).toBeRefused(credentials.RefreshTokenRefused);
    expect(await endOf(sessionOf(anna.accessToken))).toMatchObject([
      { actorid: anna.user.id, data: { reason: 'logout' } },
    ]);
  });

  it('reveals nothing about unknown tokens', async () => {
    expect((await users.call(sessions.logout, { body: { refreshToken: 'nonsense' } })).status).toBe(204);
    expect((await users.call(sessions.logout, { body: { refreshToken: 'A'.repeat(64) } })).status).toBe(204);
  });

  it("keeps the person's other sessions", async () => {
    const other = await users.call(sessions.login, { body: { email: anna.user.email, password } });
    await users.call(sessions.logout, { body: { refreshToken: anna.refreshToken } });
    expect((await refreshWith((other.body as identity.SignedIn).refreshToken)).status).toBe(200);
  });

  it('voids the access token within five seconds', async () => {
    await users.call(sessions.logout, { body: { refreshToken: anna.refreshToken } });
    const deadline = Date.now() + 5_000;
    let answer = await users.call(sessions.me, {}, { as: anna.accessToken });
    while (answer.status === 200 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      answer = await users.call(sessions.me, {}, { as: anna.accessToken });
    }
    expect(answer).toBeRefused(Unauthenticated);
  });
});

describe('the list of revoked sessions for verifiers', () => {
  const voidedBefore = async (sessionId: string) => {
    const { items } = (await users.call(accessTokens.listRevocations, { query: { after: '0' } })).body;
    const found = items.find((each) => each.sessionId === sessionId);
    return (found?.revokedAt.getTime() ?? Number.NaN) / seconds;
  };

  it('covers a token issued by an instance whose clock is ahead', async () => {
    clock.advance(3 * seconds);
    const { accessToken } = (await refreshWith(anna.refreshToken)).body;
    clock.advance(-3 * seconds);
    const phone = await users.call(sessions.login, { body: { email: anna.user.email, password } });
    const as = { as: (phone.body as identity.SignedIn).accessToken };
    await users.call(deviceSessions.revokeAllMine, { body: { which: 'others' } }, as);
    const { sid, iat } = claimsOf(accessToken);
    expect(await voidedBefore(sid)).toBeGreaterThanOrEqual(iat);
  });

  const ended = async (after?: string) =>
    (await users.call(accessTokens.listRevocations, { query: { after } })).body;

  it('returns each once as the cursor advances', async () => {
    const { next: before } = await ended();
    await users.call(sessions.logout, { body: { refreshToken: anna.refreshToken } });
    const news = await ended(before);
    expect(news.items.map(({ sessionId }) => sessionId)).toContain(sessionOf(anna.accessToken));
    // A transaction of anybody in the server that began before holds the cursor back until it ends.
    let quiet = await ended(news.next);
    for (let tries = 0; quiet.items.length > 0 && tries < 200; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      quiet = await ended(quiet.next);
    }
    expect(quiet.items).toEqual([]);
    expect((await ended(quiet.next)).next).toBe(quiet.next);
  });

  it('returns one whose commit came late, after others were returned', async () => {
    const late = await users.database.database.withoutTenant(async (tx) => {
      const sessionId = '01920000-0000-7000-8000-0000000000f1';
      await tx.run('insert into revocation (session_id, revoked_at) values ($1, $2)', [
        sessionId,
        clock.now(),
      ]);
      await users.call(sessions.logout, { body: { refreshToken: anna.refreshToken } });
      const { items, next } = await ended();
      expect(items.map((item) => item.sessionId)).toContain(sessionOf(anna.accessToken));
      expect(items.map((item) => item.sessionId)).not.toContain(sessionId);
      return { sessionId, next };
    });
    const { items } = await ended(late.next);
    expect(items.map(({ sessionId }) => sessionId)).toContain(late.sessionId);
  });

  it.each(['nonsense', '99999999999999999999', '9000000000000000000'])(
    'tells everything to who asks with the foreign cursor %s',
    async (after) => {
      await users.call(sessions.logout, { body: { refreshToken: anna.refreshToken } });
      const { items } = await ended(after);
      expect(items.map(({ sessionId }) => sessionId)).toContain(sessionOf(anna.accessToken));
    },
  );

  it('drops entries that no live token can match', async () => {
    await users.call(sessions.logout, { body: { refreshToken: anna.refreshToken } });
    clock.advance(26 * 60 * seconds);
    expect((await ended()).items).toEqual([]);
  });
});
