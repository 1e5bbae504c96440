import { createHash, randomBytes } from 'node:crypto';

/** Said once and kept as a hash. It is also what a passkey signs, so a signature fits one sign-in only. */
export function newChallenge(): { readonly text: string; readonly hash: Buffer } {
  const text = randomBytes(32).toString('base64url');
  return { text, hash: challengeHash(text) };
}

export function challengeHash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * The challenge a browser says it was given; undefined when it says nothing of use, or when a page of another site had
 * ours in a frame. The signature is checked later: it covers all of this.
 */
export function challengeIn(clientDataJSON: string): string | undefined {
  try {
    const said: unknown = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString());
    if (typeof said !== 'object' || said === null || !('challenge' in said)) return undefined;
    const inForeignFrame = 'crossOrigin' in said && said.crossOrigin === true;
    return typeof said.challenge === 'string' && !inForeignFrame ? said.challenge : undefined;
  } catch {
    return undefined;
  }
}
