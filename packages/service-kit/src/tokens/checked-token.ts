import type { KeyObject } from 'node:crypto';
import { Unauthenticated } from '@marimo/contracts';
import { accessTokens, type serviceTokens } from '@marimo/contracts/users';
import jwt from 'jsonwebtoken';
import type { z } from 'zod';

export interface TokenKind<Claims extends z.ZodType> {
  readonly type: typeof accessTokens.accessToken.type | typeof serviceTokens.serviceToken.type;
  /** They demand issuer, audience and exp; jsonwebtoken would let a token without exp live for ever. */
  readonly claims: Claims;
}

/** The key a token says it is signed with; only a hint until the signature has been checked. */
export function keyIdOf(token: string): string {
  let kid: unknown;
  try {
    kid = jwt.decode(token, { complete: true })?.header.kid;
  } catch {
    // Its content is no JSON: jsonwebtoken throws instead of telling nothing.
  }
  if (typeof kid !== 'string') throw new Unauthenticated({});
  return kid;
}

/**
 * The claims of a token of this kind, to the letter: one algorithm, so that none and HS256 with a public key are
 * nothing; a key we fetched ourselves, so that a key in the header is nothing; the type, so that no other token passes.
 */
export function checkedClaims<Claims extends z.ZodType>(
  token: string,
  key: KeyObject,
  nowMs: number,
  { type, claims }: TokenKind<Claims>,
): z.output<Claims> {
  try {
    const { header, payload } = jwt.verify(token, key, {
      algorithms: [accessTokens.accessToken.algorithm],
      clockTimestamp: Math.floor(nowMs / 1000),
      complete: true,
    });
    if (header.typ !== type) throw new Unauthenticated({});
    return claims.parse(payload);
  } catch {
    throw new Unauthenticated({});
  }
}
