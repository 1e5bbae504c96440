import { signInProviders } from '@marimo/contracts/users';
import type { Log } from '@marimo/observability';
import { ClientError, ResponseBodyError } from 'openid-client';

/** What is wrong with a token, not with its provider. */
const wrongTokens = [
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_INVALID_RESPONSE',
];

/** Whether it is the code or the token that is not right, and not the provider: unknown, used or somebody else's. */
export function isWrongToken(error: unknown): boolean {
  if (error instanceof ResponseBodyError) return error.error === 'invalid_grant';
  return error instanceof ClientError && wrongTokens.includes(error.code ?? '');
}

/**
 * What a failure of the library means for who signs in. Nothing of what the provider sent is passed on but the name of
 * its error: there may be tokens in it.
 */
export function readFailure(
  error: unknown,
  log: Log,
  providerId: string,
): signInProviders.SignInProviderUnusable {
  if (error instanceof signInProviders.SignInProviderUnusable) return error;
  const said = error instanceof ResponseBodyError ? nameOf(error.error) : undefined;
  const code = error instanceof ClientError ? error.code : undefined;
  log.warn('a sign-in provider was of no use', { providerId, said, code, kind: kindOf(error) });
  if (said !== undefined)
    return new signInProviders.SignInProviderUnusable({ reason: `It answered ${said}.` });
  if (code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED') {
    return new signInProviders.SignInProviderUnusable({
      reason: 'It calls its issuer something else than what is set here.',
    });
  }
  return new signInProviders.SignInProviderUnusable({
    reason: 'It cannot be reached, or does not answer as OpenID providers do.',
  });
}

/** As RFC 6749 writes them. */
function nameOf(error: string): string {
  return /^[a-z_]{1,50}$/.test(error) ? error : 'an error';
}

/** Its kind only: the message of a parser quotes what it could not parse. */
function kindOf(error: unknown): string | undefined {
  const cause = error instanceof ClientError ? error.cause : error;
  if (!(cause instanceof Error)) return undefined;
  return 'code' in cause ? `${cause.name} ${String(cause.code)}` : cause.name;
}
