import { randomBytes } from 'node:crypto';
import { newId } from '@marimo/contracts';
import type { Transaction } from '@marimo/postgres';
import { createSeal, type Seal } from '../signing-keys/index.ts';
import { insertFactorKey, listFactorKeys, lockFactorKeys, updateFactorKey } from './key-store.ts';

const keyPurpose = 'marimo/users/factor-key-seal';
const secretPurpose = 'marimo/users/factor-secret-seal';

export interface SealedSecret {
  readonly keyId: string;
  readonly sealedSecret: Buffer;
}

/** Seals secrets that have to be read again: of authenticator apps, and of clients of sign-in providers. */
export interface FactorKeys {
  seal(tx: Transaction, secret: Buffer, factorId: string, now: Date): Promise<SealedSecret>;
  /** Null when the key it was sealed with is lost with the JWT_SECRET of then. */
  open(tx: Transaction, sealed: SealedSecret, factorId: string): Promise<Buffer | null>;
  /** Seals keys anew that were sealed with the secret before. */
  reseal(tx: Transaction): Promise<void>;
}

/**
 * A key of the installation seals the secrets, JWT_SECRET seals the key: a change of JWT_SECRET seals one row anew, and
 * the one before must be known once while that is done. Where it is not, a new key is made for what comes; what lies
 * under the old one stays closed, and its owners use a recovery code or a passkey. To take them for people without a
 * second factor would let a false JWT_SECRET on one machine switch second factors off.
 */
export function createFactorKeys(jwtSecret: string, previousJwtSecret?: string): FactorKeys {
  const current = createSeal(jwtSecret, keyPurpose);
  const previous = previousJwtSecret === undefined ? undefined : createSeal(previousJwtSecret, keyPurpose);

  const openKey = (sealed: Buffer, keyId: string): Seal | null => {
    const key = current.open(sealed, keyId) ?? previous?.open(sealed, keyId) ?? null;
    return key === null ? null : createSeal(key.toString('base64url'), secretPurpose);
  };

  async function usableKey(tx: Transaction, now: Date): Promise<{ keyId: string; seal: Seal }> {
    for (const { keyId, sealedKey } of await listFactorKeys(tx)) {
      const seal = openKey(sealedKey, keyId);
      if (seal !== null) return { keyId, seal };
    }
    const keyId = newId();
    const key = randomBytes(32);
    await insertFactorKey(tx, { keyId, sealedKey: current.close(key, keyId) }, now);
    return { keyId, seal: createSeal(key.toString('base64url'), secretPurpose) };
  }

  return {
    async seal(tx, secret, factorId, now) {
      await lockFactorKeys(tx);
      const { keyId, seal } = await usableKey(tx, now);
      return { keyId, sealedSecret: seal.close(secret, factorId) };
    },
    async open(tx, { keyId, sealedSecret }, factorId) {
      const found = (await listFactorKeys(tx)).find((each) => each.keyId === keyId);
      if (found === undefined) return null;
      return openKey(found.sealedKey, keyId)?.open(sealedSecret, factorId) ?? null;
    },
    async reseal(tx) {
      if (previous === undefined) return;
      await lockFactorKeys(tx);
      for (const { keyId, sealedKey } of await listFactorKeys(tx)) {
        const key = previous.open(sealedKey, keyId);
        if (key !== null) await updateFactorKey(tx, { keyId, sealedKey: current.close(key, keyId) });
      }
    },
  };
}
