import { type BodyInputOf, type ReplyOf, Unauthenticated, Unavailable } from '@marimo/contracts';
import type { serviceTokens } from '@marimo/contracts/users';
import type { Log } from '@marimo/observability';
import { RefusedByService } from './refused.ts';

/** The tokens of one service for itself: one for each organisation it acts in, one for where it acts in none. */
export interface OwnTokens {
  /** Errors: `Unavailable` when `users` gives none, or the signal's reason when it fires before. */
  get(organisationId: string | undefined, signal: AbortSignal): Promise<string>;
  /** One in place of `refused`; undefined when that one was in place of another just now: a third would be refused too. */
  replace(
    refused: string,
    organisationId: string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined>;
}

export interface OwnTokensOptions {
  readonly service: string;
  readonly secret: string;
  /** Asks `users`. */
  readonly issue: (
    body: BodyInputOf<typeof serviceTokens.issue>,
  ) => Promise<ReplyOf<typeof serviceTokens.issue>>;
  readonly log: Log;
  /** Organisations whose tokens are kept, those used last. */
  readonly most?: number;
}

interface CachedToken {
  readonly token: string;
  readonly askedAt: number;
  /** From then on the next one is fetched while this one is still good, so that nobody waits. */
  readonly renewAt: number;
  /** A call that leaves us later might arrive too late. */
  readonly usableUntil: number;
  readonly inPlaceOfRefused: boolean;
}

/** When every new token is refused, users is asked for another no more often than this. */
const replaceAgainAfterMs = 1_000;

export function ownTokens({ service, secret, issue, log, most = 1_000 }: OwnTokensOptions): OwnTokens {
  const held = new Map<string, CachedToken>(); // by organisation, the one used last at the end
  const running = new Map<string, Promise<string>>(); // so that a hundred calls at once ask once

  function keep(name: string, token: CachedToken): void {
    held.delete(name);
    held.set(name, token);
    const [eldest] = held.keys();
    if (held.size > most && eldest !== undefined) held.delete(eldest);
  }

  async function fetch(name: string, inPlaceOfRefused: boolean): Promise<string> {
    const askedAt = Date.now();
    try {
      const { body } = await issue({ service, secret, ...(name !== '' && { organisationId: name }) });
      const { accessToken: token, expiresIn } = body;
      const lifeMs = expiresIn * 1_000;
      const renewAt = askedAt + lifeMs - Math.min(60_000, lifeMs / 5);
      const usableUntil = askedAt + lifeMs - Math.min(5_000, lifeMs / 10);
      keep(name, { token, askedAt, renewAt, usableUntil, inPlaceOfRefused });
      return token;
    } catch (thrown) {
      // A refusal of ours must not reach our own caller, who would be told to sign in.
      if (thrown instanceof RefusedByService) log.error('users gives us no token', { error: thrown });
      throw because(thrown, new Unavailable({ service: 'users' }, { retryAfterSeconds: 1 }));
    }
  }

  function fetchOnce(name: string, inPlaceOfRefused = false): Promise<string> {
    const known = running.get(name);
    if (known !== undefined) return known;
    const fetched = fetch(name, inPlaceOfRefused).finally(() => running.delete(name));
    fetched.catch(() => {}); // everyone who waited may have given up
    running.set(name, fetched);
    return fetched;
  }

  return {
    async get(organisationId = '', signal) {
      const known = held.get(organisationId);
      if (known === undefined || Date.now() >= known.usableUntil) {
        return unlessGivenUp(fetchOnce(organisationId), signal);
      }
      keep(organisationId, known);
      if (Date.now() >= known.renewAt) void fetchOnce(organisationId);
      return known.token;
    },
    async replace(refused, organisationId = '', signal) {
      const known = held.get(organisationId);
      // Another call may have replaced it already.
      if (known !== undefined && known.token !== refused) return known.token;
      if (known?.inPlaceOfRefused && Date.now() - known.askedAt < replaceAgainAfterMs) return undefined;
      held.delete(organisationId);
      return unlessGivenUp(fetchOnce(organisationId, true), signal);
    },
  };
}

/** Whether it was our token that was refused; a service may also refuse what stands in the request with a 401. */
export function isAboutToken(thrown: unknown): thrown is RefusedByService {
  return thrown instanceof RefusedByService && thrown.is(Unauthenticated);
}

export function because<E extends Error>(cause: unknown, error: E): E {
  return Object.assign(error, { cause });
}

/** The work is shared with others and goes on; only this wait ends. */
async function unlessGivenUp<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([givenUp, work]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
