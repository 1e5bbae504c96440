import type { ProxiedRequest } from '../proxied-request.ts';
import type { ReadAddress } from './address.ts';

const name = 'strict-transport-security';

/**
 * Says that only TLS may be used from now on, where TLS was used, here or at a proxy we trust. Over plain HTTP a browser
 * ignores it (RFC 6797 section 8.1), and a developer on localhost must not be locked out.
 */
export function addTransportSecurity(proxied: ProxiedRequest, readAddress: ReadAddress): void {
  if (readAddress(proxied.req).proto !== 'https' || proxied.ownHeaders.includes(name)) return;
  proxied.ownHeaders.push(name, 'max-age=31536000');
}
