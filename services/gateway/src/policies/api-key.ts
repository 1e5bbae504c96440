import { hash } from 'node:crypto';
import { Unauthenticated, Unavailable } from '@marimo/contracts';
import { apiKeys } from '@marimo/contracts/users';
import type { Log, Metrics } from '@marimo/observability';
import { RefusedByService, type ServiceClient } from '@marimo/resilience';
import type { Caller, CallerVerifier } from '@marimo/service-kit';
import { LRUCache } from 'lru-cache';
import type { ClientHeaders } from '../proxy/index.ts';
import { bearerOf } from './bearer.ts';
import type { RateLimiter } from './rate-limit.ts';

/**
 * Identifies the caller of a request by its access token or API key. For a key, the token it stands for is added to
 * the headers that go on; the key itself never is.
 *
 * Errors: `Unauthenticated` or `ApiKeyRefused` for an invalid token or key, `Unavailable` for a key while `users` is away,
 * `TooManyRequests` for an address that tries one unknown key after another.
 */
export type Identify = (headers: ClientHeaders, address: string) => Promise<Caller>;

export interface IdentifyParts {
  readonly verifier: CallerVerifier;
  /** Asks `users`. */
  readonly client: Pick<ServiceClient, 'call'>;
  readonly limiter: RateLimiter;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number;
}

/** The token that was issued for a key. */
interface HeldToken {
  readonly token: string;
  /** From then on the next one is fetched while this one is still valid, so that no request waits. */
  readonly renewAt: number;
  /** A request that leaves us later might arrive too late. */
  readonly usableUntil: number;
}

const rememberedKeys = 10_000;
/** They are remembered for seconds only, and any client can send more. */
export const rememberedRefusals = 2_000;
/** Short: a key that was just made, enabled or rotated must not wait long. */
const refusedForMs = 5_000;
const exchangeWithinMs = 3_000;

/** Whether the caller's token or key was refused as invalid. */
export function isInvalidIdentity(thrown: unknown): boolean {
  return thrown instanceof Unauthenticated || thrown instanceof apiKeys.ApiKeyRefused;
}

export function identifier(parts: IdentifyParts): Identify {
  const { verifier } = parts;
  const exchanges = keyExchange(parts);

  async function callerOfKey(key: string, address: string): Promise<Caller> {
    if (!apiKeys.isApiKey(key)) throw new apiKeys.ApiKeyRefused({});
    const held = exchanges.held(key, address);
    if (held !== undefined) {
      const caller = await verifier.verify(held).catch(undefinedIfInvalid);
      if (caller !== undefined) return caller;
      // It was revoked since, either with the key or because only its owner's rights have changed.
      exchanges.forget(key, held);
    }
    return verifier.verify(await exchanges.fetch(key, address));
  }

  return async (headers, address) => {
    const { apiKey } = headers;
    if (apiKey === undefined) return verifier.verify(bearerOf(headers.authorization));
    const caller = await callerOfKey(apiKey, address);
    headers.passed.push('authorization', `Bearer ${caller.bearer}`);
    return caller;
  };
}

/**
 * The tokens of keys, by the key's hash: a memory dump shows no key. While `users` is away those that are held go on.
 * Everything that grows with what strangers send is bounded.
 */
function keyExchange({ client, limiter, metrics, log, now = Date.now }: IdentifyParts) {
  const tokens = new LRUCache<string, HeldToken>({ max: rememberedKeys });
  const refusedUntil = new LRUCache<string, number>({ max: rememberedRefusals });
  const running = new Map<string, Promise<string>>(); // by key, so that a hundred requests at once ask once
  const count = metrics.counter(
    'gateway_api_key_exchanges_total',
    'API keys that users was asked to exchange for a token',
    ['outcome'],
  );

  async function ask(name: string, key: string, address: string): Promise<string> {
    const askedAt = now();
    try {
      const { body } = await client.call(apiKeys.exchangeOf, {
        body: { key, address },
        deadlineAt: Date.now() + exchangeWithinMs,
      });
      const lifeMs = body.expiresIn * 1_000;
      tokens.set(name, {
        token: body.accessToken,
        renewAt: askedAt + lifeMs - Math.min(60_000, lifeMs / 5),
        usableUntil: askedAt + lifeMs - Math.min(5_000, lifeMs / 10),
      });
      count.inc({ outcome: 'issued' });
      return body.accessToken;
    } catch (thrown) {
      if (thrown instanceof RefusedByService && thrown.is(apiKeys.ApiKeyRefused)) {
        tokens.delete(name);
        refusedUntil.set(name, now() + refusedForMs);
        count.inc({ outcome: 'refused' });
        throw new apiKeys.ApiKeyRefused({});
      }
      if (thrown instanceof RefusedByService)
        log.error('users exchanges no API keys for us', { error: thrown });
      count.inc({ outcome: 'unavailable' });
      throw new Unavailable({ service: 'users' }, { retryAfterSeconds: 1 });
    }
  }

  function askOnce(name: string, key: string, address: string): Promise<string> {
    const asked = running.get(name) ?? ask(name, key, address).finally(() => running.delete(name));
    running.set(name, asked);
    return asked;
  }

  return {
    /** Undefined when `users` has to be asked; throws for a key it refused a moment ago. */
    held(key: string, address: string): string | undefined {
      const name = nameOf(key);
      if ((refusedUntil.get(name) ?? 0) > now()) throw new apiKeys.ApiKeyRefused({});
      const known = tokens.get(name);
      if (known === undefined || now() >= known.usableUntil) return undefined;
      if (now() >= known.renewAt) askOnce(name, key, address).catch(() => {}); // the next request asks again
      return known.token;
    },
    async fetch(key: string, address: string): Promise<string> {
      const name = nameOf(key);
      // Before `users` is called: an attacker can try every text of the right form.
      if (!running.has(name)) await limiter.take('caller', { address, caller: undefined }, []);
      return askOnce(name, key, address);
    },
    /** Only this one: meanwhile another request may have fetched the next. */
    forget(key: string, token: string): void {
      const name = nameOf(key);
      if (tokens.get(name)?.token === token) tokens.delete(name);
    },
  };
}

function nameOf(key: string): string {
  return hash('sha256', key, 'base64');
}

function undefinedIfInvalid(thrown: unknown): undefined {
  if (!(thrown instanceof Unauthenticated)) throw thrown;
}
