import { type AccessTokenClaims, accessToken } from '@marimo/contracts/users';
import jwt from 'jsonwebtoken';
import type { KeyRing } from './key-ring.ts';

export type TokenSigner = Pick<KeyRing, 'signer'>;

interface Bearer {
  readonly userId: string;
  readonly tenantId: string;
  readonly sessionId: string;
  readonly roles: readonly string[];
  readonly rolesVersion: number;
}

export async function issueAccessToken(keys: TokenSigner, bearer: Bearer, now: Date): Promise<string> {
  const { kid, privateKey } = await keys.signer();
  const { algorithm, issuer, audience, type, lifetimeSeconds } = accessToken;
  const issuedAt = Math.floor(now.getTime() / 1_000);
  const claims: AccessTokenClaims = {
    iss: issuer,
    aud: audience,
    sub: bearer.userId,
    tid: bearer.tenantId,
    sid: bearer.sessionId,
    rv: bearer.rolesVersion,
    roles: [...bearer.roles],
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
  };
  return jwt.sign(claims, privateKey, { algorithm, header: { alg: algorithm, typ: type, kid } });
}
