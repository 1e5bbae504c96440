import { ActingService } from '@marimo/contracts';
import { serviceTokens } from '@marimo/contracts/users';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import jwt from 'jsonwebtoken';
import type { TokenSigner } from '../signing-keys/index.ts';
import { provedService, serviceClaims } from './service-tokens.ts';

export interface ServiceTokenParts {
  readonly keys: TokenSigner;
  readonly metrics: { readonly tokens: { inc(labels: { type: 'service' }): void } };
}

export function serviceTokenRoutes(
  { settings, clock, log }: Deps,
  { keys, metrics }: ServiceTokenParts,
): readonly Route[] {
  const { serviceSecrets } = settings;
  if (!('internal' in serviceSecrets)) throw new Error('users needs INTERNAL_SECRET');
  return [
    handle(serviceTokens.issue, async ({ body: { service: name, secret, organisationId }, address }) => {
      const service = provedService(serviceSecrets.internal, name, secret);
      if (service === undefined) {
        // A name that is none may be a secret in the wrong place.
        const said = ActingService.safeParse(name).data ?? 'unknown';
        log.warn('a service was refused a token', { said, address });
        throw new serviceTokens.ServiceRefused({});
      }
      const { kid, privateKey } = await keys.signer();
      const claims = serviceClaims(service, organisationId, clock());
      const { algorithm, type, lifetimeSeconds } = serviceTokens.serviceToken;
      const header = { alg: algorithm, typ: type, kid };
      const accessToken = jwt.sign(claims, privateKey, { algorithm, header });
      metrics.tokens.inc({ type: 'service' });
      return reply(200, { accessToken, expiresIn: lifetimeSeconds, tokenType: 'Bearer' as const });
    }),
  ];
}
