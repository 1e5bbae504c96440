import { createHash, createHmac, randomBytes } from 'node:crypto';

const secretBytes = 32;
/** Enough to sign in at the provider with a second factor; then whoever finds the address has nothing. */
export const signInLastsMs = 10 * 60_000;

/** A sign-in on its way, as its state tells: base64url of the tenant's id and 32 bytes nobody can guess. */
export interface Flow {
  readonly state: string;
  readonly tenantId: string;
  readonly stateHash: Buffer;
  /** Of PKCE (RFC 7636) and of the identity token. They follow from the state, so nothing secret is stored. */
  readonly verifier: string;
  readonly nonce: string;
}

export interface Flows {
  begin(tenantId: string): Flow;
  /** Undefined for a text that cannot be one of ours. */
  read(state: string): Flow | undefined;
}

export function createFlows(key: Buffer): Flows {
  const derived = (purpose: string, state: string) =>
    createHmac('sha256', key).update(purpose).update(state).digest('base64url');
  const flowOf = (tenantId: string, state: string): Flow => ({
    state,
    tenantId,
    stateHash: hashOf(state),
    verifier: derived('verifier', state),
    nonce: derived('nonce', state),
  });
  return {
    begin(tenantId) {
      const tenant = Buffer.from(tenantId.replaceAll('-', ''), 'hex');
      return flowOf(tenantId, Buffer.concat([tenant, randomBytes(secretBytes)]).toString('base64url'));
    },
    read(state) {
      if (!/^[\w-]{64}$/.test(state)) return undefined;
      const hex = Buffer.from(state, 'base64url').toString('hex', 0, 16);
      return flowOf(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'), state);
    },
  };
}

/** What only the browser has in which a sign-in began. */
export function newBrowserSecret(): { readonly text: string; readonly hash: Buffer } {
  const text = randomBytes(secretBytes).toString('base64url');
  return { text, hash: hashOf(text) };
}

export function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
