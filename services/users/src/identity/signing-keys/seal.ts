import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const nonceBytes = 12;
const tagBytes = 16;

export interface Seal {
  /** `name` is bound in: what was sealed under one name does not open under another. */
  close(plain: Buffer, name: string): Buffer;
  /** Null when it was sealed with another secret, under another name, or tampered with. */
  open(sealed: Buffer, name: string): Buffer | null;
}

/**
 * AES-256-GCM with a key derived from the secret, so that a copy of the database alone opens nothing.
 *
 * Shape: 12 bytes nonce, 16 bytes tag, ciphertext.
 */
export function createSeal(secret: string, purpose = 'marimo/users/signing-key-seal'): Seal {
  const key = deriveKey(secret, purpose);
  return {
    close(plain, name) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name));
      const closed = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), closed]);
    },
    open(sealed, name) {
      const nonce = sealed.subarray(0, nonceBytes);
      const tag = sealed.subarray(nonceBytes, nonceBytes + tagBytes);
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
        decipher.setAAD(Buffer.from(name)).setAuthTag(tag);
        return Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]);
      } catch {
        return null;
      }
    },
  };
}

/** A key of its own for each purpose (RFC 5869), so that none can be used for another's. */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
}
