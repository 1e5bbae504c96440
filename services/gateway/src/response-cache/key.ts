import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Caller } from '@marimo/service-kit';
import { codingFor } from '../compression/index.ts';

/**
 * Everything an answer may depend on: nothing else of the request reaches the service. The session stands in it because
 * two API keys of one account may differ in what they may do.
 */
export function keyOf(
  caller: Caller | undefined,
  path: string,
  query: string,
  headers: IncomingHttpHeaders,
): string {
  const who =
    caller === undefined
      ? ['', '', '', '']
      : [caller.tenantId, caller.userId, caller.sessionId, caller.permissionsVersion];
  const { accept = '', 'accept-language': language = '', 'accept-encoding': coding } = headers;
  return JSON.stringify([...who, path, normalised(query), accept, language, codingFor(coding)]);
}

/** In one order, however it was written; values of one name keep theirs. */
function normalised(query: string): string {
  if (query.length < 2) return '';
  const parameters = new URLSearchParams(query);
  parameters.sort();
  return parameters.toString();
}

/** What is asked for everyone: the parts of the key, and nothing that was meant for one client only. */
export function sharedHeaders(
  caller: Caller | undefined,
  passed: readonly string[],
  headers: IncomingHttpHeaders,
): string[] {
  const shared: string[] = [];
  for (let at = 0; at < passed.length; at += 2) {
    const name = passed[at] as string;
    // On a public route nobody has looked at the token, and it does not stand in the key.
    const isShared =
      name === 'authorization' ? caller !== undefined : name === 'accept' || name === 'accept-language';
    if (isShared) shared.push(name, passed[at + 1] as string);
  }
  const coding = codingFor(headers['accept-encoding']);
  if (coding !== 'identity') shared.push('accept-encoding', coding);
  return shared;
}

/**
 * It asks for a part or brings a body. What a client says of caches does not count here: browsers add `no-cache` to
 * every conditional request, and what is kept here is dropped when it changes.
 */
export function asksForItself({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  if (method !== 'GET' || headers.range !== undefined || headers['if-match'] !== undefined) return true;
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}
