import { Unauthenticated } from '@marimo/contracts';
import type { Revocation, SigningKey } from '@marimo/contracts/users';
import type { Log } from '@marimo/observability';
import { LRUCache } from 'lru-cache';
import type { TokenVerifier } from '../caller.ts';
import { repeat } from '../repeat.ts';
import { keyIdOf, type ReadToken, readToken } from './read-token.ts';
import { rememberRevocations } from './revocations.ts';
import { signingKeys } from './signing-keys.ts';

const pollMs = 2_000;
/** So that a key that users has withdrawn, because somebody else may have it, is worth nothing within seconds. */
const refreshKeysMs = 4_000;
const rememberedTokens = 20_000;

/** Where keys and revocations come from: `users`, asked through its contract. */
export interface TokenSource {
  keys(): Promise<readonly SigningKey[]>;
  revocations(after: string | undefined): Promise<{ items: readonly Revocation[]; next: string }>;
}

export interface JwksVerifierOptions {
  readonly source: TokenSource;
  readonly log: Log;
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number;
}

interface VerifiedToken extends ReadToken {
  /** A key that users has withdrawn takes its tokens with it. */
  readonly keyId: string;
}

export interface JwksVerifier extends TokenVerifier {
  /** Whether it has keys to verify with. */
  readonly ready: boolean;
  close(): Promise<void>;
}

/**
 * Verifies with the public keys of `users`. A token is checked once and remembered until it expires; a revocation is
 * looked up each time, so it takes effect with the next poll, also without Redis. While `users` is away, known keys go on.
 */
export function jwksVerifier({ source, log, now = Date.now }: JwksVerifierOptions): JwksVerifier {
  const keys = signingKeys(source.keys, now);
  const revoked = rememberRevocations(now);
  const verified = new LRUCache<string, VerifiedToken>({ max: rememberedTokens });
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

  /** By its own text: the caller that is kept has it too, so a hash would hide nothing, and costs a microsecond. */
  function remembered(token: string): VerifiedToken | undefined {
    const known = verified.get(token);
    return known !== undefined && known.expiresAt.getTime() > now() && keys.has(known.keyId)
      ? known
      : undefined;
  }

  async function read(token: string): Promise<VerifiedToken> {
    verified.delete(token);
    const keyId = keyIdOf(token);
    const fresh = { keyId, ...readToken(token, await keys.get(keyId), now()) };
    verified.set(token, fresh);
    return fresh;
  }

  const stop = repeat({ name: 'polling users for keys and revocations', pauseMs: pollMs, log }, poll);
  return {
    async verify(token) {
      const { caller, issuedAt } = remembered(token) ?? (await read(token));
      if (revoked.covers(caller.sessionId, issuedAt)) throw new Unauthenticated({});
      return caller;
    },
    get ready() {
      return keys.known;
    },
    close: stop,
  };
}
