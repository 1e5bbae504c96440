import { type identity, knownDevices, sessions } from '@marimo/contracts/users';
import { tries } from '@marimo/testing';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';

jest.setTimeout(120_000);

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const users = useUsers();
const staff = peopleOf(() => users);
let anna: identity.SignedIn;

beforeEach(async () => {
  anna = await staff.organisation();
});

interface Try {
  readonly email: string;
  readonly password: string;
  readonly deviceToken?: string | undefined;
}
const signIn = (body: Try, address: string) =>
  users.call(sessions.login, { body }, { headers: { 'x-forwarded-for': address } });

/** Wrong passwords for one account, in turn from so many addresses; answers how often each status came. */
async function guess(email: string, times: number, addresses: number): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < times; n = next++) {
      const address = `198.51.${Math.floor((n % addresses) / 250)}.${(n % addresses) % 250}`;
      const { status } = await signIn({ email, password: `wrong horse ${n}` }, address);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return statuses;
}

/** Each failure is one look at a hash; what was stopped before is counted as throttled. */
async function passwordChecks(): Promise<number> {
  const text = await (await fetch(`${users.url}/metrics`)).text();
  return Number(/auth_attempts_total\{[^}]*outcome="failure"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0);
}

describe('wrong passwords for one account', () => {
  it.each([
    [tries(1_000, 10_000), 100],
    [1_000, 1],
  ])('%d of them from %d addresses are checked 100 times at most', async (times, addresses) => {
    const before = await passwordChecks();
    const statuses = await guess(anna.user.email, times, addresses);
    expect((statuses[401] ?? 0) + (statuses[429] ?? 0)).toBe(times);
    expect((await passwordChecks()) - before).toBe(statuses[401]);
    expect(statuses[401]).toBeLessThanOrEqual(100);
  });

  it('do not lock out the owner on a known device', async () => {
    const known = await users.call(knownDevices.remember, {}, { as: anna.accessToken });
    await guess(anna.user.email, 200, 100);
    const { email } = anna.user;
    const { deviceToken } = known.body;
    expect((await signIn({ email, password }, '203.0.113.9')).status).toBe(429);
    expect((await signIn({ email, password, deviceToken }, '203.0.113.9')).status).toBe(200);
  });

  it('are not increased by a session that makes one device after another known', async () => {
    const { email } = anna.user;
    const statuses: number[] = [];
    for (let device = 0; device < 3; device += 1) {
      const known = await users.call(knownDevices.remember, {}, { as: anna.accessToken });
      const { deviceToken } = known.body;
      // The last letter holds two bits that are not read: four ways to write one token.
      const last = alphabet.indexOf(deviceToken.slice(-1));
      const written = `${deviceToken.slice(0, -1)}${alphabet[last ^ 1]}`;
      for (const token of [deviceToken, written]) {
        for (let n = 0; n < 10; n += 1) {
          const guess = { email, password: `wrong horse ${n}`, deviceToken: token };
          statuses.push((await signIn(guess, '203.0.113.9')).status);
        }
      }
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
  });

  it('get the same reply for an unknown e-mail as for a known one', async () => {
    const known = await guess(anna.user.email, 300, 100);
    const unknown = await guess(`not-${anna.user.email}`, 300, 100);
    expect(unknown).toEqual(known);
    const stranger = await signIn({ email: `not-${anna.user.email}`, password }, '203.0.113.9');
    const owner = await signIn({ email: anna.user.email, password }, '203.0.113.9');
    const { requestId: one, ...answered } = stranger.problem as Record<string, unknown>;
    const { requestId: other, ...expected } = owner.problem as Record<string, unknown>;
    expect([one === other, answered]).toEqual([false, expected]);
  });

  it("do not make a stranger's device known", async () => {
    const boris = await staff.organisation('Oak', 'Boris');
    const known = await users.call(knownDevices.remember, {}, { as: boris.accessToken });
    await guess(anna.user.email, 200, 100);
    const { deviceToken } = known.body;
    expect((await signIn({ email: anna.user.email, password, deviceToken }, '203.0.113.9')).status).toBe(429);
  });
});
