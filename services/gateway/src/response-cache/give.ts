import { createHash } from 'node:crypto';
import type { Passage } from '../passage.ts';
import type { HeaderList } from '../proxy/index.ts';
import type { Answer } from './captured-answer.ts';
import type { KeptAnswer } from './kept-answers.ts';

/** How a request to a route that may be cached was answered. */
export type CacheResult = 'hit' | 'miss' | 'stale' | 'coalesced' | 'bypass';

/** What an answer may vary by and still be the same for everyone who asks with the same key. */
const inTheKey = new Set(['accept', 'accept-encoding', 'accept-language', 'authorization', 'origin']);

/** Whether others may see it: a cookie is for one, and what varies by something else we did not look at. */
export function mayBeShared({ headers }: Answer): boolean {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] === 'set-cookie') return false;
    if (headers[at] !== 'vary') continue;
    const names = String(headers[at + 1])
      .toLowerCase()
      .split(',');
    if (!names.every((name) => inTheKey.has(name.trim()))) return false;
  }
  return true;
}

export function toBeKept(
  answer: Answer,
  route: string,
  now: number,
  { freshMs, staleIfErrorMs }: { readonly freshMs: number; readonly staleIfErrorMs: number },
): KeptAnswer | undefined {
  if (answer.status !== 200 || !mayBeShared(answer)) return undefined;
  const given = headerOf(answer.headers, 'etag');
  const etag = given ?? `"${createHash('sha256').update(answer.body).digest('base64url').slice(0, 22)}"`;
  const headers: HeaderList = given === undefined ? [...answer.headers, 'etag', etag] : answer.headers;
  const freshUntil = now + freshMs;
  return {
    ...answer,
    route,
    headers,
    etag,
    keptAt: now,
    freshUntil,
    staleUntil: freshUntil + staleIfErrorMs,
  };
}

/** Gives an answer, or says that the client has it already. */
export function give(passage: Passage, answer: Answer, result: CacheResult, ageMs: number): void {
  const { res, req, ownHeaders } = passage;
  if (res.destroyed || passage.cancelled !== undefined) return;
  const own = [...ownHeaders, 'age', String(Math.max(0, Math.floor(ageMs / 1000))), 'x-marimo-cache', result];
  const etag = answer.status === 200 ? headerOf(answer.headers, 'etag') : undefined;
  if (etag !== undefined && isKnown(req.headers['if-none-match'], etag)) {
    res.writeHead(304, [...own, ...withoutBody(answer.headers)]);
    res.end();
    return;
  }
  const isEmpty = answer.status === 204 || answer.status === 304;
  const length = isEmpty ? [] : ['content-length', String(answer.body.length)];
  passage.bytesSent = answer.body.length;
  res.writeHead(answer.status, [...own, ...answer.headers, ...length]);
  res.end(isEmpty ? undefined : answer.body);
  passage.allWritten();
}

/** RFC 9110 section 13.1.2: a weak tag will do. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const plain = (tag: string) => tag.trim().replace(/^W\//, '');
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || plain(tag) === plain(etag));
}

function withoutBody(headers: HeaderList): HeaderList {
  return headers.filter(
    (_, at) => !/^content-(?:type|encoding|language)$/.test(String(headers[at - (at % 2)])),
  );
}

function headerOf(headers: HeaderList, name: string): string | undefined {
  const at = headers.findIndex((text, place) => place % 2 === 0 && text === name);
  return at < 0 ? undefined : String(headers[at + 1]);
}
