import { setTimeout as pause } from 'node:timers/promises';
import { Unauthenticated, Unavailable } from '@marimo/contracts';
import { accessTokens, serviceTokens } from '@marimo/contracts/users';
import { createLog } from '@marimo/observability';
import { forgedServiceTokens } from '@marimo/testing/forged-service-tokens';
import { forgedTokens } from '@marimo/testing/forged-tokens';
import { until } from '@marimo/testing/outside';
import { makeSigner, testTenantId, testUserId } from '@marimo/testing/tokens';
import { type JwksVerifier, jwksVerifier } from './jwks-verifier.ts';

const signer = makeSigner('current');
const sessionId = '01920000-0000-7000-8000-0000000000aa';
const inSeconds = () => Math.floor(Date.now() / 1000);

const users = {
  keys: [signer.jwk] as accessTokens.SigningKey[],
  fetched: 0,
  away: false,
  delayMs: 0,
  revoked: [] as accessTokens.Revocation[],
};
let nowMs = 0;
let verifier: JwksVerifier;

beforeEach(() => {
  Object.assign(users, { keys: [signer.jwk], fetched: 0, away: false, delayMs: 0, revoked: [] });
  nowMs = Date.now();
  verifier = start();
});
afterEach(() => verifier.close());

function start(): JwksVerifier {
  return jwksVerifier({
    log: createLog({ service: 'test', level: 'silent' }),
    now: () => nowMs,
    source: {
      async keys() {
        users.fetched += 1;
        await pause(users.delayMs);
        if (users.away) throw new Error('users is away');
        return users.keys;
      },
      async revocations(after) {
        if (users.away) throw new Error('users is away');
        const known = Number(after ?? 0);
        return {
          items: users.revoked.slice(known, known + 1),
          next: String(Math.min(known + 1, users.revoked.length)),
        };
      },
    },
  });
}

describe('a good token', () => {
  it('tells who is calling', async () => {
    const token = signer.sign({ roles: ['accountant'], sid: sessionId });
    const caller = await verifier.verify(token);
    expect(caller).toMatchObject({ userId: testUserId, tenantId: testTenantId, sessionId, bearer: token });
    expect(caller.may('accounting.account.read')).toBe(true);
    expect(caller.may('users.member.invite')).toBe(false);
  });
});

describe('a forged token', () => {
  it.each(forgedTokens(signer))('is refused: $what', async ({ forge }) => {
    await expect(verifier.verify(signer.sign())).resolves.toBeDefined();
    await expect(verifier.verify(forge())).rejects.toBeInstanceOf(Unauthenticated);
  });
});

describe('a token of a service', () => {
  const ofUsers = () => signer.signService({ sub: 'users', tid: testTenantId });

  it('tells which service is calling, and in which organisation, if any', async () => {
    expect(await verifier.verifyService(ofUsers())).toEqual({ name: 'users', tenantId: testTenantId });
    const inNone = { name: 'workers', tenantId: undefined };
    expect(await verifier.verifyService(signer.signService())).toEqual(inNone);
  });

  it.each(forgedServiceTokens(signer, { service: 'users' }))('is refused: $what', async ({ forge }) => {
    await expect(verifier.verifyService(ofUsers())).resolves.toBeDefined();
    await expect(verifier.verifyService(forge())).rejects.toBeInstanceOf(Unauthenticated);
  });

  it('is no person’s, nor a person’s a service’s, whichever was asked for first', async () => {
    const [person, service] = [signer.sign(), ofUsers()];
    for (let n = 0; n < 2; n++) {
      await expect(verifier.verify(service)).rejects.toBeInstanceOf(Unauthenticated);
      await expect(verifier.verifyService(person)).rejects.toBeInstanceOf(Unauthenticated);
      await verifier.verify(person);
      await verifier.verifyService(service);
    }
  });

  it('ends after five minutes, and with its key', async () => {
    const token = ofUsers();
    await verifier.verifyService(token);
    nowMs += serviceTokens.serviceToken.lifetimeSeconds * 1000 - 2_000;
    await expect(verifier.verifyService(token)).resolves.toBeDefined();
    nowMs += 3_000;
    await expect(verifier.verifyService(token)).rejects.toBeInstanceOf(Unauthenticated);
    nowMs = Date.now();
    await verifier.verifyService(token);
    users.keys = [makeSigner('next').jwk];
    nowMs += 5_000;
    await until(() => refusedToService(token));
  });
});

describe('a token that was good', () => {
  it('makes nothing of another with the same signature', async () => {
    const token = signer.sign();
    await verifier.verify(token);
    const [header, payload = '', signature] = token.split('.');
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), roles: ['manager'] };
    const changed = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const forged = `${header}.${changed}.${signature}`;
    await expect(verifier.verify(forged)).rejects.toBeInstanceOf(Unauthenticated);
    expect((await verifier.verify(token)).roles).toEqual(['admin']);
  });

  it('is refused once it has expired, although it is remembered', async () => {
    const token = signer.sign();
    await verifier.verify(token);
    nowMs += accessTokens.accessToken.lifetimeSeconds * 1000 + 1_000;
    await expect(verifier.verify(token)).rejects.toBeInstanceOf(Unauthenticated);
  });

  it('is refused once its session is revoked; a later token of the same session is not', async () => {
    const token = signer.sign({ sid: sessionId, iat: inSeconds() - 10 });
    await verifier.verify(token);
    const revokedAt = new Date(nowMs - 5_000);
    users.revoked.push({ sessionId: testUserId, revokedAt }, { sessionId, revokedAt });
    await until(() => refused(token));
    await expect(verifier.verify(signer.sign({ sid: sessionId }))).resolves.toBeDefined();
  });

  it('is refused once its key is withdrawn', async () => {
    const token = signer.sign();
    await verifier.verify(token);
    users.keys = [makeSigner('next').jwk];
    nowMs += 6 * 60_000;
    await until(() => refused(token));
  });
});

describe('the keys', () => {
  it('are fetched once, however many ask before they are there', async () => {
    await verifier.close();
    Object.assign(users, { fetched: 0, delayMs: 100 });
    verifier = start();
    await Promise.all(Array.from({ length: 20 }, () => verifier.verify(signer.sign())));
    expect(users.fetched).toBe(1);
  });

  it('are fetched again for a new key id, at most once in 30 seconds', async () => {
    await verifier.verify(signer.sign());
    const next = makeSigner('next');
    users.keys = [signer.jwk, next.jwk];
    await expect(verifier.verify(next.sign())).rejects.toBeInstanceOf(Unauthenticated);
    for (let n = 0; n < 50; n++) {
      await verifier.verify(signer.sign({}, { kid: `random-${n}` })).catch(() => undefined);
    }
    expect(users.fetched).toBe(1);
    nowMs += 30_000;
    await expect(verifier.verify(next.sign())).resolves.toBeDefined();
    expect(users.fetched).toBe(2);
  });

  it('go on being used while users is away', async () => {
    await verifier.verify(signer.sign());
    users.away = true;
    nowMs += 60 * 60_000;
    const iat = Math.floor(nowMs / 1000);
    await expect(verifier.verify(signer.sign({ iat, exp: iat + 900 }))).resolves.toBeDefined();
  });

  it('let nobody in, and blame nobody, before the first has come', async () => {
    await verifier.close();
    users.away = true;
    verifier = start();
    await expect(verifier.verify(signer.sign())).rejects.toBeInstanceOf(Unavailable);
    expect(verifier.ready).toBe(false);
    users.away = false;
    nowMs += 1_000;
    await expect(verifier.verify(signer.sign())).resolves.toBeDefined();
    expect(verifier.ready).toBe(true);
  });
});

async function refusedToService(token: string): Promise<boolean> {
  return verifier.verifyService(token).then(
    () => false,
    () => true,
  );
}

async function refused(token: string): Promise<boolean> {
  return verifier.verify(token).then(
    () => false,
    () => true,
  );
}
