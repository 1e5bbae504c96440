import { memoryCache } from '@marimo/cache';
import { TooManyAttempts } from '@marimo/contracts/users';
import { testClock } from '@marimo/testing';
import { createThrottle } from './throttle.ts';

const clock = testClock();
const anna = 'anna@example.com';

async function failures(times: number, email = anna, address = '10.0.0.1') {
  const throttle = createThrottle(memoryCache({ clock: () => clock.now().getTime() }));
  for (let n = 0; n < times; n += 1) {
    await throttle.admit(email, address);
    await throttle.failed(email, address);
  }
  return throttle;
}

describe('failing to sign in again and again', () => {
  it('is stopped after ten times, in whatever writing of the e-mail', async () => {
    const throttle = await failures(10);
    await expect(throttle.admit(anna, '10.0.0.1')).rejects.toThrow(TooManyAttempts);
    await expect(throttle.admit('ANNA@example.com', '10.0.0.1')).rejects.toMatchObject({
      retryAfterSeconds: 30,
    });
  });

  it('is possible again after half a minute, once', async () => {
    const throttle = await failures(10);
    clock.advance(30_000);
    await expect(throttle.admit(anna, '10.0.0.1')).resolves.toBeUndefined();
    await throttle.failed(anna, '10.0.0.1');
    await expect(throttle.admit(anna, '10.0.0.1')).rejects.toThrow(TooManyAttempts);
  });

  it('does not keep the owner out, who comes from elsewhere', async () => {
    const throttle = await failures(10);
    await expect(throttle.admit(anna, '10.0.0.2')).resolves.toBeUndefined();
    await expect(throttle.admit('boris@example.com', '10.0.0.1')).resolves.toBeUndefined();
  });

  it('never stops who signs in rightly', async () => {
    const throttle = await failures(9);
    for (let n = 0; n < 100; n += 1) await throttle.admit(anna, '10.0.0.1');
  });
});
