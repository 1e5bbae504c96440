import type { IncomingMessage } from 'node:http';
import { refusals } from '@marimo/contracts/gateway';

/** Which pages may use the platform from a browser. */
export interface Origins {
  /** Pages on our own address, and those on the list. */
  allows(origin: string, host: string): boolean;
  /** Headers of an answer to a page of another origin; none for our own pages, programs and strangers. */
  headersFor(req: IncomingMessage, host: string): readonly string[];
  /**
   * Headers of the answer to a browser that asks before it sends; throws `OriginRefused`.
   * @param methods that the path answers
   */
  preflight(req: IncomingMessage, host: string, methods: readonly string[]): readonly string[];
}

/** What a page of another origin may read besides the headers every page may. */
const exposed = [
  'age',
  'deprecation',
  'etag',
  'link',
  'location',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'retry-after',
  'sunset',
  'www-authenticate',
  'x-marimo-cache',
  'x-request-id',
].join(', ');
const accepted = [
  'accept-language',
  'authorization',
  'cache-control',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'x-request-id',
].join(', ');
const preflightSeconds = '600';

/**
 * Compares texts and nothing else. Browsers write an origin in one way (lower case, punycode, no default port), so
 * whatever differs is another origin: no suffix, no pattern, no `null`, which any sandboxed page may send.
 */
export function allowedOrigins(list: readonly string[]): Origins {
  const listed = new Set(list);
  const isOurs = (origin: string, host: string) =>
    host !== '' && (origin === `http://${host}` || origin === `https://${host}`);
  return {
    allows: (origin, host) => listed.has(origin) || isOurs(origin, host),
    headersFor({ headers: { origin } }, host) {
      if (listed.size === 0) return [];
      if (origin === undefined || !listed.has(origin) || isOurs(origin, host)) return ['vary', 'origin'];
      return [...grant(origin), 'access-control-expose-headers', exposed];
    },
    preflight({ headers: { origin = '' } }, host, methods) {
      if (!listed.has(origin) && !isOurs(origin, host)) throw new refusals.OriginRefused({ origin });
      return [
        ...grant(origin),
        'access-control-allow-methods',
        methods.join(', '),
        'access-control-allow-headers',
        accepted,
        'access-control-max-age',
        preflightSeconds,
      ];
    },
  };
}

export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

function grant(origin: string): readonly string[] {
  return [
    'access-control-allow-origin',
    origin,
    'access-control-allow-credentials',
    'true',
    'vary',
    'origin',
  ];
}
