import type { Api } from './api.ts';
import { overHttp1 } from './front/index.ts';
import { methods, requireMethod } from './methods.ts';
import type { ReadAddress } from './policies/address.ts';
import type { RateLimiter } from './policies/rate-limit.ts';
import { addTransportSecurity } from './policies/transport.ts';
import type { ProxiedRequest } from './proxied-request.ts';
import { protection, readClientHeaders } from './proxy/index.ts';
import type { LimitName } from './settings.ts';
import { targetOf } from './target.ts';

export interface HandlerParts {
  readonly api: Api;
  /** The gateway's own. */
  readonly pages: (proxied: ProxiedRequest) => void;
  readonly readAddress: ReadAddress;
  readonly limiter: RateLimiter;
}

/**
 * The limit of a page of the gateway itself. Health probes are exempt: refusing one would take the gateway out of
 * rotation. Rendering the metrics takes time; the other pages are ready, and a browser loads many at once.
 */
function limitOfPage(path: string): LimitName | undefined {
  if (path === '/health' || path === '/ready') return undefined;
  return path === '/metrics' ? 'caller' : 'address';
}

/** Sends a request to a service or to a page of the gateway itself. */
export function createHandler({
  api,
  pages,
  readAddress,
  limiter,
}: HandlerParts): (proxied: ProxiedRequest) => Promise<void> {
  const ownPages = overHttp1((proxied) => {
    addTransportSecurity(proxied, readAddress);
    pages(proxied);
  });
  return async (proxied) => {
    addTransportSecurity(proxied, readAddress);
    requireMethod(proxied.req.method);
    if (proxied.req.method === 'OPTIONS' && proxied.req.url === '*') {
      const { address } = readAddress(proxied.req);
      await limiter.take('address', { address, caller: undefined }, proxied.ownHeaders);
      return answerOptions(proxied);
    }
    const target = targetOf(proxied.req);
    if (target.service !== undefined) return api(proxied, target.service, target);
    const limit = limitOfPage(target.path);
    const { address } = readAddress(proxied.req);
    if (limit !== undefined) await limiter.take(limit, { address, caller: undefined }, proxied.ownHeaders);
    ownPages(proxied);
  };
}

/** `OPTIONS *` asks about the server as a whole (RFC 9110 section 9.3.7). */
function answerOptions({ req, res, ownHeaders }: ProxiedRequest): void {
  readClientHeaders(req);
  const allow = ['allow', methods.join(', ')];
  res.writeHead(204, [...ownHeaders, ...allow, ...protection.flat()]).end();
}
