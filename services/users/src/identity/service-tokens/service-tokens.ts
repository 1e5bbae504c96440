import { createHash, timingSafeEqual } from 'node:crypto';
import { ActingService } from '@marimo/contracts';
import { serviceTokens } from '@marimo/contracts/users';
import { serviceSecretOf } from '@marimo/service-kit';

/**
 * The service whose secret this is; undefined for a name nobody knows and for a secret that is wrong. Both take the same
 * steps, and the comparison the same time whatever is right about what was sent.
 */
export function provedService(
  internalSecret: string,
  name: string,
  secret: string,
): ActingService | undefined {
  const isRight = timingSafeEqual(digest(secret), digest(serviceSecretOf(internalSecret, name)));
  const known = ActingService.safeParse(name);
  return isRight && known.success ? known.data : undefined;
}

export function serviceClaims(
  service: ActingService,
  organisationId: string | undefined,
  now: Date,
): serviceTokens.ServiceTokenClaims {
  const iat = Math.floor(now.getTime() / 1_000);
  return {
    iss: serviceTokens.serviceToken.issuer,
    aud: serviceTokens.serviceToken.audience,
    sub: service,
    ...(organisationId !== undefined && { tid: organisationId }),
    iat,
    exp: iat + serviceTokens.serviceToken.lifetimeSeconds,
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
