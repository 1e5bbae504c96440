import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { type AnyEndpoint, BodyTooLarge, MalformedRequest, UnsupportedMediaType } from '@marimo/contracts';
import { parseJson } from './json.ts';

const defaultLimitBytes = 1024 * 1024;

export interface RequestBody {
  /** The parsed JSON, unchecked; undefined when there is none. */
  readonly json: unknown;
  readonly stream: Readable;
  /** In lower case, without parameters. */
  readonly contentType: string;
}

/** Reads the body as the endpoint declares it: JSON whole, a stream as it comes, and never more than its limit. */
export async function readBody(
  endpoint: AnyEndpoint,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<RequestBody> {
  const { body, bodyLimitBytes: limit = defaultLimitBytes } = endpoint;
  const contentType = (req.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!hasBody(req)) return { json: undefined, stream: Readable.from([]), contentType };
  if (body === undefined) throw malformed('this route takes no body');

  checkContentType('stream' in body ? body.stream : ['application/json'], contentType, req);
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

function checkContentType(accepted: readonly string[], contentType: string, req: IncomingMessage): void {
  const charset = /;\s*charset="?([^\s;"]+)/i.exec(req.headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  const isUtf8 = charset.toLowerCase() === 'utf-8';
  // A compressed body could grow a thousandfold; nobody needs one here.
  const isPlain = (req.headers['content-encoding'] ?? 'identity') === 'identity';
  if (!accepted.includes(contentType) || !isUtf8 || !isPlain) {
    throw new UnsupportedMediaType({ accepted: [...accepted] });
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
