import type { Api } from './api.ts';
import { overHttp1 } from './front/index.ts';
import { methods, requireMethod } from './methods.ts';
import type { Passage } from './passage.ts';
import type { ReadAddress } from './policies/address.ts';
import type { RateLimiter } from './policies/rate-limit.ts';
import { demandTls } from './policies/transport.ts';
import { protection, readClientHeaders } from './proxy/index.ts';
import type { LimitName } from './settings.ts';
import { targetOf } from './target.ts';

export interface HandlerParts {
  readonly api: Api;
  /** The gateway's own. */
  readonly pages: (passage: Passage) => void;
  readonly readAddress: ReadAddress;
  readonly limiter: RateLimiter;
}

/**
 * What a page of the gateway's own counts against. Whoever probes us would take us out if they were refused. Making the
 * text of the metrics takes time; the other pages are ready, and one that is drawn asks for many at once.
 */
function limitOfPage(path: string): LimitName | undefined {
  if (path === '/health' || path === '/ready') return undefined;
  return path === '/metrics' ? 'caller' : 'address';
}

/** Where a request goes: to a service, or to a page of the gateway's own. */
export function createHandler({
  api,
  pages,
  readAddress,
  limiter,
}: HandlerParts): (passage: Passage) => Promise<void> {
  const ownPages = overHttp1((passage) => {
    demandTls(passage, readAddress);
    pages(passage);
  });
  return async (passage) => {
    demandTls(passage, readAddress);
    requireMethod(passage.req.method);
    const { address } = readAddress(passage.req);
    if (passage.req.method === 'OPTIONS' && passage.req.url === '*') {
      await limiter.take('address', { address, caller: undefined }, passage.ownHeaders);
      return answerOptions(passage);
    }
    const target = targetOf(passage.req);
    if (target.service !== undefined) return api(passage, target.service, target);
    const limit = limitOfPage(target.path);
    if (limit !== undefined) await limiter.take(limit, { address, caller: undefined }, passage.ownHeaders);
    ownPages(passage);
  };
}

/** `OPTIONS *` asks about the server as a whole (RFC 9110 section 9.3.7). */
function answerOptions({ req, res, ownHeaders }: Passage): void {
  readClientHeaders(req);
  const allow = ['allow', methods.join(', ')];
  res.writeHead(204, [...ownHeaders, ...allow, ...protection.flat()]).end();
}
