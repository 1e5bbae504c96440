import { memoryCache } from '@marimo/cache';
import { credentials } from '@marimo/contracts/users';
import { testClock } from '@marimo/testing';
import { type Attempt, createThrottle } from './throttle.ts';

const clock = testClock();
const fresh = () => createThrottle(memoryCache({ clock: () => clock.now().getTime() }));
const by = (changes: Partial<Attempt> = {}): Attempt => ({
  email: 'anna@example.com',
  address: '10.0.0.1',
  knownDevice: undefined,
  ...changes,
});
const addressOf = (n: number) => `10.1.${Math.floor(n / 250)}.${n % 250}`;

/** How many of these attempts, none of them right, reach the password. */
async function reaching(attempts: readonly Attempt[], throttle = fresh()): Promise<number> {
  let reached = 0;
  for (const attempt of attempts) {
    await throttle.begin(attempt).then(
      () => (reached += 1),
      (error: unknown) => expect(error).toBeInstanceOf(credentials.TooManyAttempts),
    );
  }
  return reached;
}

describe('guessing the password of one account', () => {
  it('is refused after ten attempts from one address, in any spelling of the e-mail', async () => {
    const throttle = fresh();
    expect(
      await reaching(
        Array.from({ length: 50 }, () => by()),
        throttle,
      ),
    ).toBe(10);
    await expect(throttle.begin(by({ email: 'ANNA@example.com' }))).rejects.toMatchObject({
      retryAfterSeconds: 30,
    });
  });

  it('is possible once again after half a minute', async () => {
    const throttle = fresh();
    await reaching(
      Array.from({ length: 50 }, () => by()),
      throttle,
    );
    clock.advance(30_000);
    expect(await reaching([by(), by()], throttle)).toBe(1);
  });

  it.each([1, 100, 10_000])(
    '10,000 times from %d addresses reaches it at most 100 times',
    async (addresses) => {
      const attempts = Array.from({ length: 10_000 }, (_, n) => by({ address: addressOf(n % addresses) }));
      expect(await reaching(attempts)).toBeLessThanOrEqual(100);
    },
  );

  it('does not lock out its owner on a known device', async () => {
    const throttle = fresh();
    await reaching(
      Array.from({ length: 1_000 }, (_, n) => by({ address: addressOf(n) })),
      throttle,
    );
    await expect(throttle.begin(by({ address: '10.9.9.9' }))).rejects.toThrow(credentials.TooManyAttempts);
    await expect(throttle.begin(by({ knownDevice: 'phone' }))).resolves.toBeUndefined();
  });

  it('from a known device is refused there too, and only there', async () => {
    const throttle = fresh();
    expect(
      await reaching(
        Array.from({ length: 50 }, () => by({ knownDevice: 'phone' })),
        throttle,
      ),
    ).toBe(10);
    await expect(throttle.begin(by({ knownDevice: 'laptop' }))).resolves.toBeUndefined();
    await expect(throttle.begin(by())).resolves.toBeUndefined();
  });
});

describe('guessing from known devices of one account', () => {
  it('is refused after thirty attempts, however many devices', async () => {
    const attempts = Array.from({ length: 1_000 }, (_, n) => by({ knownDevice: `device ${n}` }));
    expect(await reaching(attempts)).toBe(30);
  });
});

describe('trying one password on many accounts', () => {
  it('is refused after a hundred attempts from one address', async () => {
    const attempts = Array.from({ length: 1_000 }, (_, n) => by({ email: `person${n}@example.com` }));
    expect(await reaching(attempts)).toBe(100);
  });
});

describe('an IPv6 network', () => {
  const within = (n: number) => `2001:db8:1:2::${n.toString(16)}`;

  it('shares the attempts of its addresses, for one account and for many', async () => {
    const one = Array.from({ length: 100 }, (_, n) => by({ address: within(n) }));
    expect(await reaching(one)).toBe(10);
    const many = Array.from({ length: 500 }, (_, n) =>
      by({ address: within(n), email: `person${n}@example.com` }),
    );
    expect(await reaching(many)).toBe(100);
  });
});

describe('successful sign-ins', () => {
  it('are never limited, however many', async () => {
    const throttle = fresh();
    for (let n = 0; n < 500; n += 1) {
      await throttle.begin(by());
      await throttle.succeeded(by());
    }
  });

  it('reset the failures for this address and of all strangers for this account', async () => {
    const throttle = fresh();
    await reaching(
      Array.from({ length: 9 }, () => by()),
      throttle,
    );
    await throttle.begin(by());
    await throttle.succeeded(by());
    expect(
      await reaching(
        Array.from({ length: 50 }, () => by()),
        throttle,
      ),
    ).toBe(10);
  });

  it("to one account do not reset the address's attempts at others", async () => {
    const throttle = fresh();
    const others = Array.from({ length: 99 }, (_, n) => by({ email: `person${n}@example.com` }));
    await reaching(others, throttle);
    const own = by({ email: 'mallory@example.com' });
    await throttle.begin(own);
    await throttle.succeeded(own);
    const more = Array.from({ length: 50 }, (_, n) => by({ email: `another${n}@example.com` }));
    expect(await reaching(more, throttle)).toBe(1);
  });

  it('are not all accepted when many start before the first has failed', async () => {
    const throttle = fresh();
    const all = await Promise.allSettled(Array.from({ length: 200 }, () => throttle.begin(by())));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
  });
});
