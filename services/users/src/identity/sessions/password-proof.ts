import { credentials, type identity } from '@marimo/contracts/users';
import type { Call, Deps } from '@marimo/service-kit';
import type { PasswordHasher } from '../passwords/index.ts';
import { getPersonByEmail, type Person } from '../people/index.ts';
import { noteFailure } from './failed-sign-in.ts';
import type { KnownDevices } from './known-device.ts';
import type { SignInMetrics } from './metrics.ts';
import { createThrottle } from './throttle.ts';

interface Parts {
  readonly hasher: PasswordHasher;
  readonly metrics: SignInMetrics;
  readonly devices: KnownDevices;
}

/**
 * The one way in which a password proves who somebody is that signs in: guessing is slowed and noted, and neither the
 * answer nor its time tells who has an account. The password may be changed until a transaction holds it.
 *
 * Errors: WrongCredentials, TooManyAttempts.
 */
export type ProvePassword = (
  credentials: Pick<identity.Login, 'email' | 'password' | 'deviceToken'>,
  call: Pick<Call, 'address' | 'signal' | 'withoutTenant'>,
) => Promise<Person>;

export function passwordProof(deps: Deps, { hasher, metrics, devices }: Parts): ProvePassword {
  const { clock } = deps;
  const throttle = createThrottle(deps.cache);

  return async ({ email, password, deviceToken }, { address, signal, withoutTenant }) => {
    const person = await withoutTenant((tx) => getPersonByEmail(tx, email));
    const knownDevice = devices.recognise(deviceToken ?? '', person?.personId ?? '', clock());
    const attempt = { email, address, knownDevice };
    await throttle.begin(attempt).catch((error: unknown) => {
      metrics.attempts.inc({ outcome: 'throttled' });
      throw error;
    });
    // Also for nobody: neither the answer nor its time tells who has an account.
    const right = await hasher.matches(password, person?.passwordHash ?? undefined, signal);
    if (!right || person === undefined) {
      metrics.attempts.inc({ outcome: 'failure' });
      if (person !== undefined) noteFailure(deps, person, knownDevice !== undefined);
      throw new credentials.WrongCredentials({});
    }
    await throttle.succeeded(attempt);
    return person;
  };
}
