import { createHmac, timingSafeEqual } from 'node:crypto';

const lifeMs = 180 * 24 * 60 * 60 * 1_000;
const shape = /^[\w-]{75}$/; // 56 bytes: when it ends, where it was made known, the mark

/** A device on which somebody was signed in. The token stands for attempts of its own at the password, and nothing else. */
export interface KnownDevices {
  /**
   * `madeIn`: the session, or the link of a mail, in which it is made known. It is what attempts are counted for, so
   * that whoever has one session cannot make attempts without end out of it.
   */
  tokenFor(
    personId: string,
    madeIn: string,
    now: Date,
  ): { readonly deviceToken: string; readonly expiresAt: Date };
  /** Where it was made known; undefined unless we made this token for this person and it is young enough. */
  recognise(deviceToken: string, personId: string, now: Date): string | undefined;
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
    tokenFor(personId, madeIn, now) {
      const expiresAt = new Date(now.getTime() + lifeMs);
      const end = Buffer.alloc(8);
      end.writeBigUInt64BE(BigInt(expiresAt.getTime()));
      const content = Buffer.concat([end, Buffer.from(madeIn.replaceAll('-', ''), 'hex')]);
      const deviceToken = Buffer.concat([content, markOf(content, personId)]).toString('base64url');
      return { deviceToken, expiresAt };
    },
    recognise(deviceToken, personId, now) {
      if (!shape.test(deviceToken)) return undefined;
      const bytes = Buffer.from(deviceToken, 'base64url');
      const content = bytes.subarray(0, 24);
      if (!timingSafeEqual(bytes.subarray(24), markOf(content, personId))) return undefined;
      if (Number(content.readBigUInt64BE()) <= now.getTime()) return undefined;
      return content.toString('hex', 8).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    },
  };
}
