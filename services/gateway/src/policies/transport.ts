import type { Passage } from '../passage.ts';
import type { ReadAddress } from './address.ts';

const name = 'strict-transport-security';

/**
 * Says that only TLS may be used from now on, where TLS was used, here or at a proxy we trust. Over plain HTTP a browser
 * ignores it (RFC 6797 section 8.1), and who develops on localhost must not be shut out of it.
 */
export function demandTls(passage: Passage, readAddress: ReadAddress): void {
  if (readAddress(passage.req).proto !== 'https' || passage.ownHeaders.includes(name)) return;
  passage.ownHeaders.push(name, 'max-age=31536000');
}
