import { newId } from '@marimo/contracts';
import { secondFactors } from '@marimo/contracts/users';
import { type ServiceUnderTest, serviceUnderTest, testClock } from '@marimo/testing';
import { usersService } from '../../../service.ts';
import { personUnderTest } from '../../../test/person-with-factors.ts';
import { createFactorKeys, type SealedSecret } from './factor-keys.ts';

const clock = testClock(new Date().toISOString());
const secret = Buffer.from('a secret of 20 bytes');

let users: ServiceUnderTest;
beforeEach(async () => {
  users = await serviceUnderTest(usersService({ passwordCost: 4 }), { as: null, clock: clock.now });
});
afterEach(() => users?.stop());

const under = (...[now, before]: Parameters<typeof createFactorKeys>) => {
  const keys = createFactorKeys(now, before);
  const { database } = users.database;
  return {
    seal: (factorId: string) => database.withoutTenant((tx) => keys.seal(tx, secret, factorId, clock.now())),
    open: (sealed: SealedSecret, factorId: string) =>
      database.withoutTenant((tx) => keys.open(tx, sealed, factorId)),
    reseal: () => database.withoutTenant((tx) => keys.reseal(tx)),
  };
};

describe('the stored secret of an authenticator app', () => {
  it('is sealed and opens under its own name only', async () => {
    const [one, two] = [newId(), newId()];
    const sealed = await under('first').seal(one);
    expect(sealed.sealedSecret.includes(secret)).toBe(false);
    expect(await under('first').open(sealed, one)).toEqual(secret);
    expect(await under('first').open(sealed, two)).toBeNull();
    expect(await under('another').open(sealed, one)).toBeNull();
  });

  it('uses one key, also when two processes create it at the same moment', async () => {
    const sealed = await Promise.all([1, 2, 3, 4].map(() => under('first').seal(newId())));
    expect(new Set(sealed.map(({ keyId }) => keyId)).size).toBe(1);
  });

  it('opens after an announced change of JWT_SECRET, and no longer needs the old one', async () => {
    const factorId = newId();
    const sealed = await under('first').seal(factorId);
    expect(await under('second', 'first').open(sealed, factorId)).toEqual(secret);
    await under('second', 'first').reseal();
    expect(await under('second').open(sealed, factorId)).toEqual(secret);
    expect(await under('first').open(sealed, factorId)).toBeNull();
    await under('second', 'first').reseal();
    expect(await under('second').open(sealed, factorId)).toEqual(secret);
  });

  it('stays closed after an unannounced change, opens once the old secret is given, and new ones work', async () => {
    const [old, fresh] = [newId(), newId()];
    const sealedBefore = await under('first').seal(old);
    const sealedAfter = await under('second').seal(fresh);
    expect(await under('second').open(sealedBefore, old)).toBeNull();
    expect(await under('second').open(sealedAfter, fresh)).toEqual(secret);
    await under('second', 'first').reseal();
    expect(await under('second').open(sealedBefore, old)).toEqual(secret);
    expect(await under('second').open(sealedAfter, fresh)).toEqual(secret);
  });
});

it('asks for the second factor and accepts a recovery code even if the stored secret cannot be opened', async () => {
  const anna = await personUnderTest(users, clock);
  const app = await anna.addApp();
  await users.database.sql(`update factor_key set sealed_key = '\\x00'`);
  const { challenge } = await anna.ask();
  const code = app.nextCode();
  expect(await users.call(secondFactors.finishLogin, { body: { challenge, code } })).toBeRefused(
    secondFactors.ProofRefused,
  );
  const [recoveryCode] = app.recoveryCodes;
  expect((await users.call(secondFactors.finishLogin, { body: { challenge, recoveryCode } })).status).toBe(
    200,
  );
});
