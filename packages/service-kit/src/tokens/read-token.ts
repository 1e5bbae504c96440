import type { KeyObject } from 'node:crypto';
import { grantsCover, rolesGrant, Unauthenticated } from '@marimo/contracts';
import { AccessTokenClaims, accessToken } from '@marimo/contracts/users';
import jwt from 'jsonwebtoken';
import type { Caller } from '../caller.ts';

export interface ReadToken {
  readonly caller: Caller;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** The key a token says it is signed with; only a hint until the signature has been checked. */
export function keyIdOf(token: string): string {
  const header = jwt.decode(token, { complete: true })?.header;
  if (typeof header?.kid !== 'string') throw new Unauthenticated({});
  return header.kid;
}

/**
 * Demands of a token all that `accessToken` says: one algorithm, so that none and HS256 with a public key are nothing;
 * a key we fetched ourselves, so that a key in the header is nothing; the type, so that no other token passes for one.
 */
export function readToken(token: string, key: KeyObject, nowMs: number): ReadToken {
  try {
    const { header, payload } = jwt.verify(token, key, {
      algorithms: [accessToken.algorithm],
      clockTimestamp: Math.floor(nowMs / 1000),
      complete: true,
    });
    if (header.typ !== accessToken.type) throw new Unauthenticated({});
    // The claims demand issuer, audience and exp; jsonwebtoken would let a token without exp live for ever.
    return fromClaims(token, AccessTokenClaims.parse(payload));
  } catch {
    throw new Unauthenticated({});
  }
}

function fromClaims(bearer: string, claims: AccessTokenClaims): ReadToken {
  const { sub, tid, sid, rv, roles, grants, auth_time: authTime, amr, iat, exp } = claims;
  return {
    caller: {
      userId: sub,
      tenantId: tid,
      sessionId: sid,
      roles,
      grants,
      permissionsVersion: [rv, ...roles, ...grants].join(' '),
      authenticatedAt: authTime === 0 ? undefined : new Date(authTime * 1000),
      methods: amr,
      bearer,
      may: (permission) => rolesGrant(roles, permission) || grantsCover(grants, permission),
    },
    issuedAt: new Date(Math.round(iat * 1000)),
    expiresAt: new Date(exp * 1000),
  };
}
