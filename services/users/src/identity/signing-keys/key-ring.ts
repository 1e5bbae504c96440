import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { accessTokens } from '@marimo/contracts/users';
import type { Database } from '@marimo/postgres';
import type { Seal } from './seal.ts';
import {
  deleteAllKeys,
  deleteDeadKeys,
  insertKey,
  listLivingKeys,
  lockKeys,
  retireKeysBefore,
  type StoredKey,
} from './store.ts';

export interface Signer {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** The keys of the installation, as one process knows them. */
export interface KeyRing {
  signer(): Promise<Signer>;
  /** Every key that verifies, also one that does not sign yet. */
  published(): Promise<readonly accessTokens.SigningKey[]>;
  publicKey(kid: string): Promise<KeyObject | undefined>;
  /** Makes the next key and tells which; one that is on its way already, by whichever process, is the next one. */
  rotate(rotation?: Rotation): Promise<NextKey>;
}

export interface Rotation {
  /** Only if the key that signs now has done so for this long. */
  readonly unlessYoungerThanMs?: number;
  /**
   * Somebody else may have the key that signs now: the next one signs at once, and every other key, with all tokens it
   * ever signed, is worth nothing any more. People whose client refreshes its token notice nothing.
   */
  readonly compromised?: boolean;
}

export interface NextKey {
  readonly kid: string;
  readonly signsFrom: Date;
}

interface Key extends Signer {
  readonly signsFrom: Date;
}

interface Known {
  readonly readAt: number;
  readonly published: readonly accessTokens.SigningKey[];
  readonly publicKeys: ReadonlyMap<string, KeyObject>;
  /** Those this process can open, oldest first. */
  readonly signers: readonly Key[];
}

/** A key that is compromised must not be published by another process for longer. */
const freshForMs = 3_000;
/** A token with an unknown `kid` may show that another process has rotated, or be an attack on the database. */
const askAgainAfterMs = 5_000;
/** From publishing to signing: longer than any verifier or other process keeps what it knows. */
const publishedAheadMs = 10 * 60_000;
/** From the last signature on: the life of a token, and some for clocks that differ. */
const verifiesAfterMs = (accessTokens.accessToken.lifetimeSeconds + 5 * 60) * 1_000;

export interface KeyRingOptions {
  readonly database: Database;
  readonly seal: Seal;
  readonly clock: () => Date;
}

/**
 * Keys are made when there is none that this process can open: at the first start, and after a change of JWT_SECRET.
 * Those of before then still verify, so nobody is signed out.
 */
export function createKeyRing({ database, seal, clock }: KeyRingOptions): KeyRing {
  let known: Known | undefined;
  let reading: Promise<Known> | undefined;

  async function read(): Promise<Known> {
    const now = clock();
    let stored = await database.withoutTenant((tx) => listLivingKeys(tx, now), { readOnly: true });
    if (!stored.some((key) => canSign(key, now))) {
      stored = await database.withoutTenant(async (tx) => {
        await lockKeys(tx);
        const others = await listLivingKeys(tx, now);
        if (others.some((key) => canSign(key, now))) return others;
        const first = await newKey(seal, now);
        await insertKey(tx, first);
        return [...others, first];
      });
    }
    return recall(stored, now);
  }

  function canSign(key: StoredKey, now: Date): boolean {
    return key.signsFrom <= now && seal.open(key.sealedPrivate, key.kid) !== null;
  }

  function recall(stored: readonly StoredKey[], now: Date): Known {
    const signers = stored.flatMap(({ kid, sealedPrivate, signsFrom }) => {
      const plain = seal.open(sealedPrivate, kid);
      if (plain === null) return [];
      return [{ kid, signsFrom, privateKey: createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' }) }];
    });
    const published = stored.map(({ publicKey }) => publicKey);
    const publicKeys = new Map(
      published.map((jwk) => [jwk.kid, createPublicKey({ key: jwk, format: 'jwk' })]),
    );
    return { readAt: now.getTime(), published, publicKeys, signers };
  }

  async function recent(maxAgeMs: number): Promise<Known> {
    if (known !== undefined && Math.abs(clock().getTime() - known.readAt) < maxAgeMs) return known;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    try {
      known = await reading;
    } catch (error) {
      // What was known a moment ago is still right; the database's absence shows elsewhere.
      if (known === undefined) throw error;
    }
    return known;
  }

  return {
    async signer() {
      const now = clock();
      const { signers } = await recent(freshForMs);
      const newest = signers.findLast(({ signsFrom }) => signsFrom <= now);
      if (newest === undefined) throw new Error('There is no key to sign with');
      return newest;
    },
    published: async () => (await recent(freshForMs)).published,
    async publicKey(kid) {
      const { publicKeys } = await recent(freshForMs);
      return publicKeys.get(kid) ?? (await recent(askAgainAfterMs)).publicKeys.get(kid);
    },
    async rotate({ unlessYoungerThanMs = 0, compromised = false } = {}) {
      const now = clock();
      const next = await newKey(seal, new Date(now.getTime() + (compromised ? 0 : publishedAheadMs)));
      const current = await database.withoutTenant(async (tx) => {
        await lockKeys(tx);
        if (compromised) await deleteAllKeys(tx);
        else await deleteDeadKeys(tx, now);
        const newest = (await listLivingKeys(tx, now)).at(-1);
        if (newest !== undefined && now.getTime() - newest.signsFrom.getTime() < unlessYoungerThanMs)
          return newest;
        await retireKeysBefore(tx, next, new Date(next.signsFrom.getTime() + verifiesAfterMs));
        await insertKey(tx, next);
        return next;
      });
      known = undefined;
      return { kid: current.kid, signsFrom: current.signsFrom };
    },
  };
}

const generate = promisify(generateKeyPair);

async function newKey(seal: Seal, signsFrom: Date): Promise<StoredKey> {
  const pair = await generate('rsa', { modulusLength: 2048 });
  const { n, e } = pair.publicKey.export({ format: 'jwk' });
  if (n === undefined || e === undefined) throw new Error('An RSA key has a modulus and an exponent');
  // RFC 7638: the key's own fingerprint, so that no two keys can share a name.
  const kid = createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url');
  return {
    kid,
    publicKey: { kty: 'RSA', use: 'sig', alg: accessTokens.accessToken.algorithm, kid, n, e },
    sealedPrivate: seal.close(pair.privateKey.export({ format: 'der', type: 'pkcs8' }), kid),
    signsFrom,
  };
}
