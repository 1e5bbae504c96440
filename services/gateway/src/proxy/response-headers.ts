import type { IncomingHttpHeaders } from 'node:http';
import { namedByConnection } from './request-headers.ts';

/** Names and values in turn; a value may be a list, as with several cookies. */
export type HeaderList = (string | string[])[];

/**
 * On every answer, a page's own or a service's, unless the service says otherwise. That only TLS may be used from now on
 * is said where TLS was used: `policies/transport.ts`.
 */
export const protection: readonly (readonly [string, string])[] = [
  ['cache-control', 'no-store'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()'],
  ['referrer-policy', 'no-referrer'],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
];

/** Of the connection to the service, set by the gateway itself, or internal. */
const dropped = new Set([
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'server',
  'strict-transport-security',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-marimo-about',
  'x-marimo-attempts',
  'x-marimo-cache',
  'x-marimo-deadline',
  'x-powered-by',
  'x-request-id',
]);
const ownBit = new Map(protection.map(([name], place) => [name, 1 << place]));

/** A service's answer headers for the client, with the protection it did not set itself. */
export function readServiceHeaders(
  status: number,
  headers: IncomingHttpHeaders,
  ours: readonly string[],
): HeaderList {
  // Two lines of it come as an array, which its type does not say.
  const named = headers.connection === undefined ? undefined : namedByConnection(String(headers.connection));
  const list: HeaderList = [...ours];
  let set = 0;
  for (const name in headers) {
    if (dropped.has(name) || named?.has(name)) continue;
    // RFC 9110 section 8.6: a 204 has none; a client that believes it waits for the bytes.
    if (status === 204 && name === 'content-length') continue;
    set |= ownBit.get(name) ?? 0;
    list.push(name, headers[name] as string | string[]);
  }
  for (const [name, value] of protection) {
    if ((set & (ownBit.get(name) as number)) === 0) list.push(name, value);
  }
  return list;
}
