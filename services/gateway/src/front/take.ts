import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestIdOf } from '@marimo/service-kit';
import { ProxiedRequest } from '../proxied-request.ts';
import type { FrontLimits } from './limits.ts';
import type { FrontParts } from './parts.ts';

export type TakeParts = Pick<FrontParts, 'handle' | 'record' | 'fail'> & Pick<FrontLimits, 'stallMs'>;

/** Makes a proxied of a request, which is recorded when it is over. */
export function takeRequest(
  { record, stallMs }: TakeParts,
  req: IncomingMessage,
  res: ServerResponse,
  awaitsContinue: boolean,
): ProxiedRequest {
  const proxied = new ProxiedRequest(req, res, requestIdOf(req), awaitsContinue, stallMs);
  res.on('close', () => {
    proxied.end();
    record(proxied);
  });
  return proxied;
}

export function beginRequest({ handle, fail }: TakeParts, proxied: ProxiedRequest): void {
  handle(proxied).catch((thrown: unknown) => fail(proxied, thrown));
}
