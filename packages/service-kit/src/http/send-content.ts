import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { FileContent } from '@marimo/contracts';
import type { Response } from 'express';
import type { AnyReply } from '../route.ts';
import { alreadyHas } from './etag.ts';

/** The content failed after its head was sent: the caller sees an answer that ends too early. */
export class BrokenOff extends Error {
  override readonly name = 'BrokenOff';
}

interface ContentReply extends AnyReply {
  readonly body: FileContent;
}

/** Kept by the caller alone and asked for again each time; compressed nowhere, or the ranges would not fit. */
const cacheControl = 'private, no-cache, no-transform';

/**
 * Sends the bytes of a file as fast as the caller takes them: whole, the part it asks for (RFC 9110 section 14), or nothing
 * where it has them already. One range is served; who asks for several gets everything.
 *
 * Errors: whatever opening fails with, before anything is sent; BrokenOff.
 */
export async function sendContent(
  req: IncomingMessage,
  res: Response,
  { headers = {}, body }: ContentReply,
): Promise<void> {
  const { sizeBytes } = body;
  if (sizeBytes === undefined) return sendUnmeasured(req, res, { headers, body });
  const etag = headers['etag'];
  const common = { 'cache-control': cacheControl, 'accept-ranges': 'bytes', ...headers };
  if (etag !== undefined && alreadyHas(req.headers['if-none-match'], etag)) {
    res.writeHead(304, common).end();
    return;
  }
  const range = wantedRange(req, sizeBytes, etag);
  if (range === 'unsatisfiable') {
    const about = { 'content-range': `bytes */${sizeBytes}`, 'content-length': 0 };
    res.writeHead(416, { 'cache-control': 'no-store', 'accept-ranges': 'bytes', ...about }).end();
    return;
  }
  const { first, last } = range ?? { first: 0, last: sizeBytes - 1 };
  const sentBytes = last - first + 1;
  const isEmpty = req.method === 'HEAD' || sentBytes === 0;
  const content = isEmpty ? undefined : await body.open(range);
  for (const [name, value] of Object.entries(common)) res.setHeader(name, value);
  res.setHeader('content-length', sentBytes);
  if (range !== undefined) res.setHeader('content-range', `bytes ${first}-${last}/${sizeBytes}`);
  res.writeHead(range === undefined ? 200 : 206);
  if (content === undefined) {
    res.end();
    return;
  }
  res.locals.exchange.sentBytes = sentBytes;
  await pass(content, res);
}

/** In chunks, as it is made: how long it will be is known at its end, so no part of it can be asked for. */
async function sendUnmeasured(
  req: IncomingMessage,
  res: Response,
  { headers, body }: Pick<ContentReply, 'body'> & Required<Pick<AnyReply, 'headers'>>,
): Promise<void> {
  const content = req.method === 'HEAD' ? undefined : await body.open();
  const common = { 'cache-control': 'private, no-store, no-transform', 'accept-ranges': 'none', ...headers };
  for (const [name, value] of Object.entries(common)) res.setHeader(name, value);
  res.writeHead(200);
  if (content === undefined) res.end();
  else await pass(content, res);
}

async function pass(content: AsyncIterable<Uint8Array>, res: ServerResponse): Promise<void> {
  try {
    await pipeline(content, res); // which ends the content too when the caller goes
  } catch (error) {
    const callerHasGone = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
    res.destroy();
    if (!callerHasGone) throw new BrokenOff('The content failed', { cause: error });
  }
}

interface Range {
  readonly first: number;
  readonly last: number;
}

function wantedRange(
  { headers, method }: IncomingMessage,
  sizeBytes: number,
  etag: string | undefined,
): Range | 'unsatisfiable' | undefined {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headers.range ?? '') ?? [];
  if (method !== 'GET' || (from === '' && to === '')) return undefined;
  // Who has the beginning of another version must not get the end of this one.
  if (headers['if-range'] !== undefined && headers['if-range'] !== etag) return undefined;
  const first = from === '' ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const last = from === '' || to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined; // not a range at all
  return first >= sizeBytes ? 'unsatisfiable' : { first, last };
}
