import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const lifeMs = 180 * 24 * 60 * 60 * 1_000;
const shape = /^[\w-]{75}$/; // 56 bytes: when it ends, a nonce, the mark

/** A device on which somebody was signed in. The token stands for attempts of its own at the password, and nothing else. */
export interface KnownDevices {
  tokenFor(personId: string, now: Date): { readonly deviceToken: string; readonly expiresAt: Date };
  /** Whether we made this token for this person and it is young enough. */
  knows(deviceToken: string, personId: string, now: Date): boolean;
}

/**
 * Nothing is stored: the token is signed, so there is no table that tells who uses what.
 *
 * Source: OWASP, "Slow down online guessing attacks with device cookies".
 */
export function knownDevices(key: Buffer): KnownDevices {
  const markOf = (content: Buffer, personId: string) =>
    createHmac('sha256', key).update(content).update(personId).digest();
  return {
    tokenFor(personId, now) {
      const expiresAt = new Date(now.getTime() + lifeMs);
      const end = Buffer.alloc(8);
      end.writeBigUInt64BE(BigInt(expiresAt.getTime()));
      const content = Buffer.concat([end, randomBytes(16)]);
      const deviceToken = Buffer.concat([content, markOf(content, personId)]).toString('base64url');
      return { deviceToken, expiresAt };
    },
    knows(deviceToken, personId, now) {
      if (!shape.test(deviceToken)) return false;
      const bytes = Buffer.from(deviceToken, 'base64url');
      const content = bytes.subarray(0, 24);
      if (!timingSafeEqual(bytes.subarray(24), markOf(content, personId))) return false;
      return Number(content.readBigUInt64BE()) > now.getTime();
    },
  };
}
