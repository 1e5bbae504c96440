import { getSigningKeys, listRevocations } from '@marimo/contracts/users';
import type { TokenVerifier } from '../caller.ts';
import type { Deps, ServiceDefinition } from '../service.ts';
import { jwksVerifier, type TokenSource } from '../tokens/jwks-verifier.ts';

export interface RunningVerifier extends TokenVerifier {
  /** Whether it has keys to verify with. */
  readonly ready: boolean;
  close(): Promise<void>;
}

/** The service's own verifier, or one that asks `users` for keys and revocations. */
export function verifierOf({ verifier }: ServiceDefinition, deps: Deps): RunningVerifier {
  if (verifier === undefined) return jwksVerifier({ source: askUsers(deps), log: deps.log });
  const own = verifier(deps);
  return { verify: (token) => own.verify(token), ready: true, close: async () => {} };
}

function askUsers({ client }: Deps): TokenSource {
  return {
    async keys() {
      const { body } = await client.call(getSigningKeys, {});
      return body.keys;
    },
    async revocations(after) {
      const { body } = await client.call(listRevocations, { query: { after } });
      return body;
    },
  };
}
