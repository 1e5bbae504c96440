import { createPublicKey, type KeyObject } from 'node:crypto';
import { Unauthenticated, Unavailable } from '@marimo/contracts';
import type { accessTokens } from '@marimo/contracts/users';

/** A key nobody knows is asked for at most this often, whatever strangers write into their tokens. */
const coolDownMs = 30_000;
/** While there is no key at all, nobody can be let in: ask again soon. */
const impatientMs = 1_000;

export interface SigningKeys {
  /** Throws `Unauthenticated` for a key that is not ours, `Unavailable` while we know none. */
  get(keyId: string): Promise<KeyObject>;
  has(keyId: string): boolean;
  /** Fetches the set again if it is older than this; a failure throws, and keeps the old one. */
  refresh(olderThanMs: number): Promise<void>;
  /** Whether a set has ever arrived. */
  readonly known: boolean;
}

/** The public keys of `users`, kept as key objects: from PEM text each verification would cost three times as much. */
export function signingKeys(
  fetch: () => Promise<readonly accessTokens.SigningKey[]>,
  now: () => number,
): SigningKeys {
  let keys: ReadonlyMap<string, KeyObject> = new Map();
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let askedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;

  async function load(): Promise<void> {
    askedAt = now();
    const fetched = await fetch();
    keys = new Map(fetched.map((key) => [key.kid, createPublicKey({ key: { ...key }, format: 'jwk' })]));
    fetchedAt = now();
  }

  function loadOnce(): Promise<void> {
    running ??= load().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    async get(keyId) {
      const mayAsk = now() - askedAt >= (keys.size > 0 ? coolDownMs : impatientMs);
      if (!keys.has(keyId) && (mayAsk || running !== undefined)) await loadOnce().catch(() => undefined);
      const key = keys.get(keyId);
      if (key !== undefined) return key;
      if (keys.size === 0) throw new Unavailable({ service: 'users' }, { retryAfterSeconds: 1 });
      throw new Unauthenticated({});
    },
    has: (keyId) => keys.has(keyId),
    async refresh(olderThanMs) {
      if (now() - fetchedAt >= olderThanMs) await loadOnce();
    },
    get known() {
      return keys.size > 0;
    },
  };
}
