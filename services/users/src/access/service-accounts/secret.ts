import { createHash, randomBytes } from 'node:crypto';
import { apiKeys } from '@marimo/contracts/users';

const shownBytes = 6;
const tenantBytes = 16;
const secretBytes = 32;

/** An API key as it travels: 6 bytes to recognise it by, the tenant's id, and 32 bytes nobody can guess. */
export interface PresentedKey {
  readonly text: string;
  /** Told by the key itself, so that it is looked for in one tenant only. */
  readonly tenantId: string;
  /** What is stored: from it nobody can make the key. */
  readonly hash: Buffer;
  readonly prefix: string;
}

export function newSecret(tenantId: string): PresentedKey {
  const tenant = Buffer.from(tenantId.replaceAll('-', ''), 'hex');
  const body = Buffer.concat([randomBytes(shownBytes), tenant, randomBytes(secretBytes)]);
  return presented(apiKeys.apiKeyOf(body.toString('base64url')), tenantId);
}

/** Undefined for a text that cannot be one of ours. */
export function readKey(text: string): PresentedKey | undefined {
  if (!apiKeys.isApiKey(text)) return undefined;
  const bytes = Buffer.from(apiKeys.bodyOfApiKey(text), 'base64url');
  const hex = bytes.toString('hex', shownBytes, shownBytes + tenantBytes);
  return presented(text, hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
}

function presented(text: string, tenantId: string): PresentedKey {
  return {
    text,
    tenantId,
    hash: createHash('sha256').update(text).digest(),
    prefix: apiKeys.prefixOfApiKey(text),
  };
}
