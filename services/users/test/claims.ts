import type { accessTokens, identity } from '@marimo/contracts/users';

/** What an access token says; its signature is not checked. */
export function claimsOf(
  token: string | Pick<identity.SignedIn, 'accessToken'>,
): accessTokens.AccessTokenClaims {
  const text = typeof token === 'string' ? token : token.accessToken;
  return JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString());
}
