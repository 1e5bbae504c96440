import type { KeyObject } from 'node:crypto';
import { Unauthenticated } from '@marimo/contracts';
import type { accessTokens } from '@marimo/contracts/users';
import { type Log, runPeriodically } from '@marimo/observability';
import { LRUCache } from 'lru-cache';
import type { TokenVerifier } from '../caller.ts';
import { keyIdOf } from './checked-token.ts';
import { readServiceToken } from './read-service-token.ts';
import { readToken } from './read-token.ts';
import { rememberRevocations } from './revocations.ts';
import { type SigningKeys, signingKeys } from './signing-keys.ts';

const pollMs = 2_000;
/** So that a key that users has withdrawn, because somebody else may have it, is worth nothing within seconds. */
const refreshKeysMs = 4_000;
const rememberedTokens = 20_000;
const rememberedServiceTokens = 2_000;
/** Of the signature's end: a text that comes with each request is hashed anew each time, and a token is long. */
const nameLength = 64;

/** Where keys and revocations come from: `users`, asked through its contract. */
export interface TokenSource {
  keys(): Promise<readonly accessTokens.SigningKey[]>;
  revocations(
    after: string | undefined,
  ): Promise<{ items: readonly accessTokens.Revocation[]; next: string }>;
}

export interface JwksVerifierOptions {
  readonly source: TokenSource;
  readonly log: Log;
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number;
}

export interface JwksVerifier extends TokenVerifier {
  /** Whether it has keys to verify with. */
  readonly ready: boolean;
  close(): Promise<void>;
}

/**
 * Verifies with the public keys of `users`. A token is checked once and remembered until it expires; a revocation is
 * looked up each time, so it takes effect with the next poll, also without Redis. While `users` is away, known keys go on.
 * A service's token is not revoked: it lives for five minutes, and ends before that with its key.
 */
export function jwksVerifier({ source, log, now = Date.now }: JwksVerifierOptions): JwksVerifier {
  const keys = signingKeys(source.keys, now);
  const revoked = rememberRevocations(now);
  const read = reader(keys, readToken, now, rememberedTokens);
  const readOfService = reader(keys, readServiceToken, now, rememberedServiceTokens);
  let cursor: string | undefined;

  async function poll(): Promise<void> {
    await keys.refresh(refreshKeysMs);
    let asked: string | undefined;
    do {
      asked = cursor;
      const { items, next } = await source.revocations(cursor);
      revoked.add(items);
      cursor = next;
    } while (cursor !== asked);
  }

  const stop = runPeriodically(
    { name: 'polling users for keys and revocations', pauseMs: pollMs, log },
    poll,
  );
  return {
    async verify(token) {
      const { caller, issuedAt } = await read(token);
      if (revoked.covers(caller.sessionId, issuedAt)) throw new Unauthenticated({});
      return caller;
    },
    verifyService: async (token) => (await readOfService(token)).service,
    get ready() {
      return keys.known;
    },
    close: stop,
  };
}

type ReadKind<T> = (token: string, key: KeyObject, nowMs: number) => T;

/** Reads tokens of one kind and remembers those that were good, apart from every other kind. */
function reader<T extends { readonly expiresAt: Date }>(
  keys: SigningKeys,
  read: ReadKind<T>,
  now: () => number,
  max: number,
): (token: string) => Promise<T> {
  interface Verified {
    readonly token: string;
    readonly keyId: string;
    readonly told: T;
  }
  const verified = new LRUCache<string, Verified>({ max });
  return async (token) => {
    const name = token.slice(-nameLength);
    const known = verified.get(name);
    // A key that users has withdrawn takes its tokens with it.
    if (known?.token === token && known.told.expiresAt.getTime() > now() && keys.has(known.keyId))
      return known.told;
    const keyId = keyIdOf(token);
    const told = read(token, await keys.get(keyId), now());
    verified.set(name, { token, keyId, told });
    return told;
  };
}
