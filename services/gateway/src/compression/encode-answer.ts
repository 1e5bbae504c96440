import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Transform } from 'node:stream';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';
import type { Passage } from '../passage.ts';
import type { Coding } from './codings.ts';

/** Below this an answer fits into a few packets and compressing it only costs time; the services think the same. */
const fromBytes = 16_384;
/** Text; an event stream must not wait for a full block. */
const compressible =
  /^(?:text\/(?!event-stream)|application\/(?:[\w.-]+\+)?(?:json|xml)\b|application\/(?:x-ndjson|javascript)\b|image\/svg)/i;

type Value = string | number | string[] | undefined;

/**
 * Compresses what is about to be sent, where it is worth it and nobody has done it yet. The answer streams through with
 * back-pressure. Not for answers that hold secrets: beside text that a stranger may choose, the length of a compressed
 * answer tells the secret (BREACH).
 */
export function encodeAnswer(passage: Passage, coding: Exclude<Coding, 'identity'>): void {
  const { res } = passage;
  const plain = {
    writeHead: res.writeHead.bind(res) as (status: number, ...rest: unknown[]) => ServerResponse,
    write: res.write.bind(res) as (...args: unknown[]) => boolean,
    end: res.end.bind(res) as (...args: unknown[]) => ServerResponse,
  };
  let encoder: Transform | undefined;
  let hasEnded = false;
  let isShort = false;

  res.writeHead = ((status: number, ...rest: unknown[]) => {
    const given = rest.find((argument) => typeof argument === 'object');
    const read = given as OutgoingHttpHeaders | Value[] | undefined;
    const value = (name: string) => headerOf(read, name) ?? (res.getHeader(name) as Value);
    if (res.headersSent || encoder !== undefined || isShort || !isWorthIt(status, value))
      return plain.writeHead(status, ...rest);
    encoder = startEncoder(passage, coding, value('content-length') === undefined, plain);
    const etag = value('etag');
    for (const name of replaced) res.removeHeader(name);
    const headers = listOf(read).filter(
      (_, at, all) => !replaced.has(String(all[at - (at % 2)]).toLowerCase()),
    );
    headers.push('content-encoding', coding, 'vary', 'accept-encoding');
    // Other bytes than the service named, and the same meaning.
    if (typeof etag === 'string') headers.push('etag', etag.startsWith('W/') ? etag : `W/${etag}`);
    return plain.writeHead(status, ...withHeaders(res, headers));
  }) as typeof res.writeHead;
  res.write = ((...args: unknown[]) => {
    if (!res.headersSent && encoder === undefined) res.writeHead(res.statusCode);
    return encoder === undefined ? plain.write(...args) : encoder.write(args[0], args[1] as BufferEncoding);
  }) as typeof res.write;
  res.end = ((...args: unknown[]) => {
    if (hasEnded) return res;
    hasEnded = true;
    const [chunk, encoding] = args as [string | Buffer | undefined, BufferEncoding | undefined];
    if (!res.headersSent && encoder === undefined) {
      if (isLong(chunk)) res.writeHead(res.statusCode);
      else isShort = true; // Node will ask for the headers in the middle of its own end()
    }
    if (encoder === undefined) return plain.end(...args);
    if (typeof chunk === 'string' || Buffer.isBuffer(chunk)) encoder.end(chunk, encoding ?? 'utf8');
    else encoder.end();
    return res;
  }) as typeof res.end;
}

/** Written anew for the compressed answer; parts of it cannot be asked for. */
const replaced = new Set(['content-length', 'accept-ranges', 'etag']);

function startEncoder(
  passage: Passage,
  coding: Exclude<Coding, 'identity'>,
  streams: boolean,
  plain: { write(...args: unknown[]): boolean; end(): unknown },
): Transform {
  const { res } = passage;
  const encoder = coding === 'br' ? brotli(streams) : gzip(streams);
  let stalled: NodeJS.Timeout | undefined;
  encoder.on('data', (chunk: Buffer) => {
    if (plain.write(chunk)) return;
    encoder.pause(); // the client reads more slowly than the service sends
    // Whoever brings the answer gives up too, unless all it has so far lies in the encoder.
    stalled ??= setTimeout(() => res.destroy(), passage.stallMs);
  });
  let isOurs = false;
  res.on('drain', () => {
    if (isOurs) return; // there is room in the encoder, not at the client
    clearTimeout(stalled);
    stalled = undefined;
    encoder.resume();
  });
  encoder.on('drain', () => {
    isOurs = true;
    res.emit('drain'); // whoever brings the answer waits for this
    isOurs = false;
  });
  encoder.once('end', () => {
    plain.end();
    passage.allWritten();
  });
  encoder.once('error', () => res.destroy());
  res.once('close', () => {
    clearTimeout(stalled);
    encoder.destroy();
  });
  return encoder;
}

/** Who does not say how long the answer is sends it as it comes up, and its reader must not wait for a full block. */
function brotli(streams: boolean): Transform {
  const flush = streams ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS;
  return createBrotliCompress({ flush, params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
}

function gzip(streams: boolean): Transform {
  return createGzip({ flush: streams ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH, level: 4 });
}

function isWorthIt(status: number, value: (name: string) => Value): boolean {
  if (status < 200 || status >= 300 || status === 204 || status === 206) return false;
  if (value('content-encoding') !== undefined || value('set-cookie') !== undefined) return false;
  if (String(value('cache-control')).includes('no-transform')) return false;
  const length = value('content-length');
  return (
    compressible.test(String(value('content-type'))) && (length === undefined || Number(length) >= fromBytes)
  );
}

function isLong(chunk: unknown): boolean {
  return (typeof chunk === 'string' || Buffer.isBuffer(chunk)) && chunk.length >= fromBytes;
}

function headerOf(headers: OutgoingHttpHeaders | Value[] | undefined, name: string): Value {
  if (!Array.isArray(headers)) return headers?.[name];
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return headers[at + 1];
  return undefined;
}

function listOf(headers: OutgoingHttpHeaders | Value[] | undefined): Value[] {
  return Array.isArray(headers) ? [...headers] : Object.entries(headers ?? {}).flat();
}

/** A list would replace what was set one by one, so it is set one by one where something was. */
function withHeaders(res: ServerResponse, headers: Value[]): unknown[] {
  if (res.getHeaderNames().length === 0) return [headers];
  for (let at = 0; at < headers.length; at += 2) {
    const name = String(headers[at]);
    const known = name === 'vary' ? res.getHeader(name) : undefined;
    const value = headers[at + 1] as string;
    res.setHeader(name, known === undefined ? value : [known, value].flat().join(', '));
  }
  return [];
}
