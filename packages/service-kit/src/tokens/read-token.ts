import type { KeyObject } from 'node:crypto';
import { grantsCover, rolesGrant } from '@marimo/contracts';
import { accessTokens } from '@marimo/contracts/users';
import type { Caller } from '../caller.ts';
import { checkedClaims } from './checked-token.ts';

export interface ReadToken {
  readonly caller: Caller;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** Demands of a token all that `accessToken` says. */
export function readToken(token: string, key: KeyObject, nowMs: number): ReadToken {
  const kind = { type: accessTokens.accessToken.type, claims: accessTokens.AccessTokenClaims };
  return fromClaims(token, checkedClaims(token, key, nowMs, kind));
}

function fromClaims(bearer: string, claims: accessTokens.AccessTokenClaims): ReadToken {
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
