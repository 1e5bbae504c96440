import { accessTokens } from '@marimo/contracts/users';
import type { ServiceClient } from '@marimo/resilience';
import type { TokenVerifier } from '../caller.ts';
import type { ComposedService } from '../service.ts';
import { jwksVerifier, type TokenSource } from '../tokens/jwks-verifier.ts';
import type { Observed, Platform } from './platform.ts';

export interface RunningVerifier extends TokenVerifier {
  /** Whether it has keys to verify with. */
  readonly ready: boolean;
  close(): Promise<void>;
}

/** Polls pace themselves, and all of them at a start come before users is there: a long break would only delay it. */
const shortBreak = { windowMs: 2_000, openMs: 2_000 };

/** The service's own verifier, or one that asks `users` for keys and revocations. */
export function verifierOf(
  { verifier: own }: Pick<ComposedService, 'verifier'>,
  platform: Platform,
  of: Observed,
): RunningVerifier {
  if (own !== undefined) {
    return {
      verify: (token) => own.verify(token),
      verifyService: (token) => own.verifyService(token),
      ready: true,
      close: async () => {},
    };
  }
  const client = platform.client(of, shortBreak);
  const verifier = jwksVerifier({ source: askUsers(client), log: of.log });
  return {
    verify: verifier.verify,
    verifyService: verifier.verifyService,
    get ready() {
      return verifier.ready;
    },
    async close() {
      await verifier.close();
      await client.close();
    },
  };
}

function askUsers(client: ServiceClient): TokenSource {
  return {
    async keys() {
      const { body } = await client.call(accessTokens.getSigningKeys, {});
      return body.keys;
    },
    async revocations(after) {
      const { body } = await client.call(accessTokens.listRevocations, { query: { after } });
      return body;
    },
  };
}
