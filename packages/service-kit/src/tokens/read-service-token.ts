import type { KeyObject } from 'node:crypto';
import { serviceTokens } from '@marimo/contracts/users';
import type { CallingService } from '../caller.ts';
import { checkedClaims } from './checked-token.ts';

export interface ReadServiceToken {
  readonly service: CallingService;
  readonly expiresAt: Date;
}

/** Demands of a token all that `serviceToken` says. */
export function readServiceToken(token: string, key: KeyObject, nowMs: number): ReadServiceToken {
  const kind = { type: serviceTokens.serviceToken.type, claims: serviceTokens.ServiceTokenClaims };
  const { sub: name, tid: tenantId, exp } = checkedClaims(token, key, nowMs, kind);
  return { service: { name, tenantId }, expiresAt: new Date(exp * 1000) };
}
