import { accessTokens } from '@marimo/contracts/users';
import type { Database } from '@marimo/postgres';
import { kitMigrations, readToken } from '@marimo/service-kit';
import { testClock, useDatabase } from '@marimo/testing';
import { issueAccessToken } from './access-token.ts';
import { createKeyRing, type KeyRing } from './key-ring.ts';
import { createSeal } from './seal.ts';

const minutes = 60_000;
const migrations = new URL('../../../migrations/', import.meta.url);
const db = useDatabase({ schema: 'users', folders: [...kitMigrations, migrations] });
const clock = testClock(new Date().toISOString());

const ringWith = (secret: string): KeyRing =>
  createKeyRing({ database: db.database, seal: createSeal(secret), clock: clock.now });
const bearer = {
  userId: '01920000-0000-7000-8000-000000000001',
  tenantId: '01920000-0000-7000-8000-00000000000a',
  sessionId: '01920000-0000-7000-8000-0000000000aa',
  roles: ['admin'],
  grants: [],
  rolesVersion: 1,
  authenticatedAt: clock.now(),
  methods: ['pwd'] as const,
  rightsChangeAt: null,
};
const tokenFrom = async (ring: KeyRing) => (await issueAccessToken(ring, bearer, clock.now())).token;
const kidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;

async function accepts(ring: KeyRing, token: string): Promise<boolean> {
  const key = await ring.publicKey(kidOf(token));
  if (key === undefined) return false;
  return readToken(token, key, clock.now().getTime()).caller.userId === bearer.userId;
}

beforeEach(() => db.sql('delete from users.signing_key'));

describe('the signing keys', () => {
  it('are created once, also when several processes start at once, and stored sealed', async () => {
    const rings = Array.from({ length: 5 }, () => ringWith('secret one'));
    const tokens = await Promise.all(rings.map(tokenFrom));
    expect(new Set(tokens.map(kidOf)).size).toBe(1);
    const stored = await db.rows<{ sealed_private: Buffer; public_key: object }>('signing_key');
    expect(stored).toHaveLength(1);
    expect(stored[0]?.sealed_private.includes(Buffer.from('rsaEncryption'))).toBe(false);
    expect(
      createSeal('secret one').open(stored[0]?.sealed_private ?? Buffer.alloc(0), kidOf(tokens[0] ?? '')),
    ).not.toBeNull();
    expect(Object.keys(stored[0]?.public_key ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });

  it('stay the same after a restart', async () => {
    const before = await tokenFrom(ringWith('secret one'));
    const after = ringWith('secret one');
    expect(kidOf(await tokenFrom(after))).toBe(kidOf(before));
    expect(await accepts(after, before)).toBe(true);
  });

  it('sign only once every verifier knows them, and verify until their last token has expired', async () => {
    const ring = ringWith('secret one');
    const verifier = ringWith('secret one');
    const old = await tokenFrom(ring);
    await ring.rotate();
    expect(await ring.published()).toHaveLength(2);
    expect(kidOf(await tokenFrom(ring))).toBe(kidOf(old));

    clock.advance(10 * minutes);
    const last = old;
    const young = await tokenFrom(ring);
    expect(kidOf(young)).not.toBe(kidOf(last));
    expect(await accepts(verifier, young)).toBe(true);
    expect(await accepts(verifier, last)).toBe(true);

    clock.advance(accessTokens.accessToken.lifetimeSeconds * 1_000 + 5 * minutes);
    expect((await ring.published()).map(({ kid }) => kid)).toEqual([kidOf(young)]);
    await ring.rotate();
    expect(await db.rows('signing_key')).toHaveLength(2); // the dead one is gone
  });

  it('are joined by a new one when JWT_SECRET has changed, and still verify', async () => {
    const old = await tokenFrom(ringWith('secret one'));
    const ring = ringWith('secret two');
    const young = await tokenFrom(ring);
    expect(kidOf(young)).not.toBe(kidOf(old));
    expect(await accepts(ring, old)).toBe(true);
    expect(await accepts(ringWith('secret one'), young)).toBe(true);
    // Both secrets at work side by side, as in a rolling change: no further keys are made.
    clock.advance(minutes);
    await tokenFrom(ringWith('secret one'));
    await tokenFrom(ringWith('secret two'));
    expect(await db.rows('signing_key')).toHaveLength(2);
  });

  it('are used while the database is unavailable', async () => {
    const link = watched();
    const ring = createKeyRing({ database: link.database, seal: createSeal('secret one'), clock: clock.now });
    const token = await tokenFrom(ring);
    link.away = true;
    clock.advance(10 * minutes);
    expect(kidOf(await tokenFrom(ring))).toBe(kidOf(token));
  });

  it('are read at most every five seconds because of unknown key ids', async () => {
    const link = watched();
    const ring = createKeyRing({ database: link.database, seal: createSeal('secret one'), clock: clock.now });
    await tokenFrom(ring);
    const before = link.asked;
    for (let n = 0; n < 50; n += 1) expect(await ring.publicKey(`unknown-${n}`)).toBeUndefined();
    expect(link.asked).toBe(before);
    clock.advance(5_000);
    await ring.publicKey('unknown');
    expect(link.asked).toBe(before + 1);
  });
});

/** The database, counted, and away when the test says so. */
function watched() {
  const link = { asked: 0, away: false };
  const database: Database = {
    ...db.database,
    withoutTenant(work, options) {
      link.asked += 1;
      return link.away ? Promise.reject(new Error('away')) : db.database.withoutTenant(work, options);
    },
  };
  return Object.assign(link, { database });
}

describe('a seal', () => {
  const secret = Buffer.from('a private key');

  it('opens what it sealed', () => {
    expect(createSeal('s').open(createSeal('s').close(secret, 'a'), 'a')).toEqual(secret);
  });

  it.each([
    ['with another secret', (sealed: Buffer) => createSeal('t').open(sealed, 'a')],
    ['under another name', (sealed: Buffer) => createSeal('s').open(sealed, 'b')],
    [
      'when a byte was changed',
      (sealed: Buffer) =>
        createSeal('s').open(sealed.map((byte, at) => (at === 30 ? byte ^ 1 : byte)) as Buffer, 'a'),
    ],
    ['when it was cut', (sealed: Buffer) => createSeal('s').open(sealed.subarray(0, 20), 'a')],
    ['when it is empty', () => createSeal('s').open(Buffer.alloc(0), 'a')],
  ])('does not open %s', (_, attempt) => {
    expect(attempt(createSeal('s').close(secret, 'a'))).toBeNull();
  });
});
