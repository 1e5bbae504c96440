import { createHmac, timingSafeEqual } from 'node:crypto';
import type { mailLinks } from '@marimo/contracts/users';

/** What a link can be good for. */
export type LinkPurpose = Exclude<mailLinks.MailPurpose, 'notice'>;

const idBytes = 16;
const proofBytes = 32;
/** A multiple of three bytes, so each token has one spelling only. */
const tokenText = /^[\w-]{64}$/;

/** Makes and reads what stands in a link. Nothing that is stored, sent as an event or logged is enough to make one. */
export interface LinkTokens {
  linkToken(linkId: string, purpose: LinkPurpose): string;
  /** The link's id; undefined for whatever was not made here for this very purpose. */
  readLink(token: string, purpose: LinkPurpose): string | undefined;
  /** Where the portal takes it up. */
  urlOf(linkId: string, purpose: LinkPurpose): string;
}

/**
 * A token is the link's id and an HMAC-SHA-256 over purpose and id, so it is derived anew whenever it is needed.
 *
 * Shape: base64url of 16 and 32 bytes. The key comes from JWT_SECRET: with another secret pending links are dead.
 */
export function createLinkTokens(key: Buffer, portalUrl: string): LinkTokens {
  const proofOf = (id: Buffer, purpose: LinkPurpose): Buffer =>
    createHmac('sha256', key).update(`${purpose}\n`).update(id).digest();

  function linkToken(linkId: string, purpose: LinkPurpose): string {
    const id = Buffer.from(linkId.replaceAll('-', ''), 'hex');
    if (id.length !== idBytes) throw new TypeError('A link id is a UUID');
    return Buffer.concat([id, proofOf(id, purpose)]).toString('base64url');
  }

  return {
    linkToken,
    readLink(token, purpose) {
      if (!tokenText.test(token)) return undefined;
      const bytes = Buffer.from(token, 'base64url');
      const id = bytes.subarray(0, idBytes);
      const proof = bytes.subarray(idBytes);
      if (proof.length !== proofBytes || !timingSafeEqual(proof, proofOf(id, purpose))) return undefined;
      return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    },
    // After the hash sign: a browser sends that part to no server and names it to no other site.
    urlOf: (linkId, purpose) => `${portalUrl}/#/${purpose}/${linkToken(linkId, purpose)}`,
  };
}
