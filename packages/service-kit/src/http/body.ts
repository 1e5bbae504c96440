import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import {
  type AnyEndpoint,
  anyContentType,
  BodyTooLarge,
  MalformedRequest,
  parseJson,
  UnsupportedMediaType,
} from '@marimo/contracts';

const defaultLimitBytes = 1024 * 1024;

export interface RequestBody {
  /** The parsed JSON, unchecked; undefined when there is none. */
  readonly json: unknown;
  readonly stream: Readable;
  /** In lower case, without parameters. */
  readonly contentType: string;
}

/** Reads the body as the endpoint declares it: JSON whole, a stream as it arrives, and never more than its limit. */
export async function readBody(
  endpoint: AnyEndpoint,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<RequestBody> {
  const { body, bodyLimitBytes: limit = defaultLimitBytes } = endpoint;
  const accepted = body !== undefined && 'stream' in body ? body.stream : ['application/json'];
  const contentType = mediaTypeOf(req, accepted);
  if (!hasBody(req)) return { json: undefined, stream: Readable.from([]), contentType };
  if (body === undefined) throw malformed('this route takes no body');

  requireReadable(req, contentType, accepted);
  if (Number(req.headers['content-length'] ?? 0) > limit) throw new BodyTooLarge({ limit });

  if (req.headers.expect !== undefined) res.writeContinue();
  const chunks = limited(req, limit);
  if ('stream' in body)
    return { json: undefined, stream: Readable.from(chunks, { objectMode: false }), contentType };
  return { json: parseJson(await text(chunks)), stream: Readable.from([]), contentType };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function mediaTypeOf({ headers }: IncomingMessage, accepted: readonly string[]): string {
  const sent = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  // Browsers on Windows with Excel installed give this type to every .csv file.
  return sent === 'application/vnd.ms-excel' && accepted.includes('text/csv') ? 'text/csv' : sent;
}

function requireReadable({ headers }: IncomingMessage, mediaType: string, accepted: readonly string[]): void {
  const takesAny = accepted.includes(anyContentType);
  if (!takesAny && !accepted.includes(mediaType)) {
    throw new UnsupportedMediaType({ unsupported: 'media type', sent: mediaType, accepted: [...accepted] });
  }
  const charset = /;\s*charset="?([^\s;"]+)/i.exec(headers['content-type'] ?? '')?.[1];
  if (!takesAny && charset !== undefined && !isUtf8(charset)) {
    throw new UnsupportedMediaType({ unsupported: 'character set', sent: charset, accepted: ['utf-8'] });
  }
  // Node takes the chunks apart and leaves what was coded before them as it is: it would be kept as the content.
  if ((headers['transfer-encoding'] ?? 'chunked').toLowerCase() !== 'chunked') {
    throw malformed('only the transfer coding chunked is read');
  }
  // A compressed body could expand a thousandfold, and no caller needs one.
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding.toLowerCase() !== 'identity') {
    throw new UnsupportedMediaType({
      unsupported: 'content encoding',
      sent: coding,
      accepted: ['identity'],
    });
  }
}

/** Whether the label names UTF-8 or ASCII, its subset, which the Encoding Standard reads as windows-1252 instead. */
function isUtf8(label: string): boolean {
  if (/^(?:utf-8|(?:us-)?ascii)$/i.test(label)) return true;
  try {
    return new TextDecoder(label).encoding === 'utf-8';
  } catch {
    return false; // an unknown label
  }
}

/** Leaves the connection open when the reader stops early, so that a refusal can still be sent on it. */
async function* limited(req: IncomingMessage, limit: number): AsyncGenerator<Buffer, void, undefined> {
  let taken = 0;
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    taken += chunk.length;
    if (taken > limit) throw new BodyTooLarge({ limit });
    yield chunk;
  }
}

async function text(chunks: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(all));
  } catch {
    throw malformed('it is not valid UTF-8');
  }
}

function malformed(detail: string): MalformedRequest {
  return new MalformedRequest({ errors: [{ pointer: '', detail }] });
}
