import { Unauthenticated } from '@marimo/contracts';
import { accessTokens, type identity, sessions } from '@marimo/contracts/users';
import { createLog } from '@marimo/observability';
import { type JwksVerifier, jwksVerifier } from '@marimo/service-kit';
import { type ServiceUnderTest, serviceUnderTest, testClock } from '@marimo/testing';
import { usersService } from '../../../service.ts';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';

const minuteMs = 60_000;
const clock = testClock(new Date().toISOString());
let users: ServiceUnderTest;
let email: string;
let anotherService: JwksVerifier;

beforeAll(async () => {
  users = await serviceUnderTest(usersService({ passwordCost: 4 }), { as: null, clock: clock.now });
  anotherService = jwksVerifier({
    source: {
      keys: async () => (await users.call(accessTokens.getSigningKeys, {})).body.keys,
      revocations: async () => ({ items: [], next: '0' }),
    },
    log: createLog({ service: 'test', level: 'silent' }),
    now: () => clock.now().getTime(),
  });
  email = (await peopleOf(() => users, clock.now).organisation()).user.email;
});
afterAll(async () => {
  await anotherService?.close();
  await users?.stop();
});

const signIn = async () =>
  (await users.call(sessions.login, { body: { email, password } })).body as identity.SignedIn;
const kidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
const byCommand = (compromised = false) =>
  users.call(accessTokens.rotateSigningKeys, { body: { compromised } });
const published = async () =>
  (await users.call(accessTokens.getSigningKeys, {})).body.keys.map(({ kid }) => kid);

describe('rotating the signing key', () => {
  it('fails no request with a token signed before or after', async () => {
    const living: { token: string; until: number }[] = [];
    const kids = new Set<string>();
    for (let minute = 0; minute < 75; minute += 1) {
      if ([5, 40].includes(minute)) expect((await byCommand()).status).toBe(200);
      const { accessToken, expiresIn } = await signIn();
      living.push({ token: accessToken, until: clock.now().getTime() + expiresIn * 1_000 });
      kids.add(kidOf(accessToken));
      for (const { token, until } of living) {
        if (until <= clock.now().getTime()) continue;
        await expect(anotherService.verify(token)).resolves.toBeDefined();
      }
      clock.advance(minuteMs);
    }
    expect(kids.size).toBe(3);
  });

  it('drops the old key once its last token has expired', async () => {
    const old = kidOf((await signIn()).accessToken);
    await byCommand();
    expect(await published()).toContain(old);
    clock.advance(31 * minuteMs); // ahead, the life of a token, clocks that differ
    expect(kidOf((await signIn()).accessToken)).not.toBe(old);
    expect(await published()).not.toContain(old);
  });
});

it('a compromised key is refused within seconds, and a new sign-in works at once', async () => {
  const stolen = (await signIn()).accessToken;
  await anotherService.verify(stolen);
  await byCommand(true);
  clock.advance(5_000);
  expect(await published()).not.toContain(kidOf(stolen));
  const fresh = (await signIn()).accessToken;
  await untilRefused(stolen);
  clock.advance(30_000);
  await expect(anotherService.verify(fresh)).resolves.toBeDefined();
});

/** The verifier polls every two seconds by the wall clock. */
async function untilRefused(token: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const failure = await anotherService.verify(token).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure !== undefined) return expect(failure).toBeInstanceOf(Unauthenticated);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('a token of a key that was withdrawn is still believed');
}
