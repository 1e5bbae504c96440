import { createHash } from 'node:crypto';
import type { identity } from '@marimo/contracts/users';
import { emailKey } from '../../identity/people/index.ts';

/** How long a repetition is recognised by its `Idempotency-Key`. */
export const repeatableForMs = 24 * 60 * 60 * 1_000;

export function hashOfKey(idempotencyKey: string): Buffer {
  return createHash('sha256').update(idempotencyKey).digest();
}

/**
 * What the request asks for, without the password: a digest of that would be quick to guess from. A repetition proves
 * the password against its slow hash instead.
 */
export function digestOf(request: identity.RegisterOrganisation): Buffer {
  const { organisation, name, email, baseCurrency, language, timeZone } = request;
  return createHash('sha256')
    .update(JSON.stringify([organisation, name, emailKey(email), baseCurrency, language, timeZone]))
    .digest();
}
