import { createHash, createHmac, randomBytes } from 'node:crypto';

const tenantBytes = 16;
const secretBytes = 32;

/** A refresh token as it travels: base64url of the tenant's id and 32 bytes nobody can guess. */
export interface RefreshToken {
  readonly text: string;
  /** Told by the token itself, so that it is looked for in one tenant only. */
  readonly tenantId: string;
  /** What is stored: from it nobody can make the token. */
  readonly hash: Buffer;
}

export function newRefreshToken(tenantId: string): RefreshToken {
  return tokenOf(tenantId, randomBytes(secretBytes));
}

/**
 * The token after this one. It follows from it, so a client that lost the answer gets the very same again and there are
 * never two successors; without our key nobody can compute it.
 */
export function successorOf(token: RefreshToken, key: Buffer): RefreshToken {
  return tokenOf(token.tenantId, createHmac('sha256', key).update(token.text).digest());
}

/** Undefined for a text that cannot be one of ours. */
export function readRefreshToken(text: string): RefreshToken | undefined {
  if (!/^[\w-]{64}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  const hex = bytes.toString('hex', 0, tenantBytes);
  const tenantId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return tokenOf(tenantId, bytes.subarray(tenantBytes));
}

function tokenOf(tenantId: string, secret: Buffer): RefreshToken {
  const text = Buffer.concat([Buffer.from(tenantId.replaceAll('-', ''), 'hex'), secret]).toString(
    'base64url',
  );
  return { text, tenantId, hash: createHash('sha256').update(text).digest() };
}
