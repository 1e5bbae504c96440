import { accessTokens } from '@marimo/contracts/users';
import jwt from 'jsonwebtoken';
import type { KeyRing } from './key-ring.ts';

export type TokenSigner = Pick<KeyRing, 'signer'>;

export interface Bearer {
  /** The person, or the service account. */
  readonly userId: string;
  readonly tenantId: string;
  readonly sessionId: string;
  readonly roles: readonly string[];
  readonly grants: readonly string[];
  readonly rolesVersion: number;
  /** Null for a program. */
  readonly authenticatedAt: Date | null;
  readonly methods: readonly accessTokens.AuthenticationMethod[];
  /** The token ends no later than this. */
  readonly rightsChangeAt: Date | null;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresIn: number; // seconds
}

export async function issueAccessToken(keys: TokenSigner, bearer: Bearer, now: Date): Promise<IssuedToken> {
  const { kid, privateKey } = await keys.signer();
  const { algorithm, issuer, audience, type } = accessTokens.accessToken;
  const issuedAt = now.getTime() / 1_000;
  const exp = Math.floor(issuedAt) + lifetimeOf(bearer, now);
  const claims: accessTokens.AccessTokenClaims = {
    iss: issuer,
    aud: audience,
    sub: bearer.userId,
    tid: bearer.tenantId,
    sid: bearer.sessionId,
    rv: bearer.rolesVersion,
    roles: [...bearer.roles],
    grants: [...bearer.grants],
    auth_time: Math.floor((bearer.authenticatedAt?.getTime() ?? 0) / 1_000),
    amr: [...bearer.methods],
    iat: issuedAt,
    exp,
  };
  const token = jwt.sign(claims, privateKey, { algorithm, header: { alg: algorithm, typ: type, kid } });
  return { token, expiresIn: exp - Math.floor(issuedAt) };
}

/** Roles that end, or begin, take effect on their minute: the token ends with them and the next one knows. */
function lifetimeOf({ rightsChangeAt }: Bearer, now: Date): number {
  if (rightsChangeAt === null) return accessTokens.accessToken.lifetimeSeconds;
  const seconds = Math.ceil((rightsChangeAt.getTime() - now.getTime()) / 1_000);
  return Math.max(1, Math.min(accessTokens.accessToken.lifetimeSeconds, seconds));
}
