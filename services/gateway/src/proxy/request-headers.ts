import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { HeadersTooLarge, MalformedRequest } from '@marimo/contracts';
import { apiKeys } from '@marimo/contracts/users';

export const headerLimitBytes = 16_384;
export const headerLimitCount = 100;

const pseudoHeaderCount = 4; // of HTTP/2: they stand in no list of HTTP/1.1's

/** What a client sent, after the first look. */
export interface ClientHeaders {
  /** Names in lower case and values in turn, as undici takes them; ours are added behind. */
  readonly passed: string[];
  readonly host: string;
  readonly authorization: string | undefined;
  /** `Authorization: Bearer mk_…` or `X-Api-Key`, whatever it is worth. Neither of them is passed on. */
  readonly apiKey: string | undefined;
  /** Repeating it is safe by the caller's word. */
  readonly keyed: boolean;
}

/** Of this connection only (RFC 9110 section 7.6.1), or set by us for the next one. */
const ofThisConnection = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/**
 * What only the gateway may say (who calls, from where, as part of what), and what would make a server behind us act
 * on another method or path than the one we checked.
 */
const onlyOurs =
  /^(?:proxy-|x-marimo-|x-user|x-tenant|x-internal|x-forwarded|x-original|x-rewrite|x-http-method|(?:x-method-override|x-real-ip|x-client-ip|true-client-ip|forwarded|x-api-key|x-request-id|traceparent|tracestate)$)/;
/** Servers differ in which of two they believe. */
const once = ['host', 'authorization', 'content-type', 'idempotency-key', 'x-api-key'];

/** A name, an IPv4 address or an IPv6 address in brackets, then perhaps a port. Browsers send punycode. */
const hostForm = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{0,5})?$/i;

interface KnownName {
  readonly name: string;
  readonly passes: boolean;
  /** Its bit among those that come at most once; 0 for the others. */
  readonly onceBit: number;
}
const knownNames = new Map<string, KnownName>();
const knownNamesLimit = 500; // clients repeat a few dozen; inventions must not fill the memory

/** Sorts a client's headers; refuses those that could be read in two ways. */
export function readClientHeaders(req: IncomingMessage): ClientHeaders {
  const raw = req.rawHeaders;
  const isHttp2 = req.httpVersionMajor === 2;
  const most = headerLimitCount + (isHttp2 ? pseudoHeaderCount : 0);
  if (raw.length > most * 2) throw new HeadersTooLarge({ limit: headerLimitBytes });
  refuseUnclearFraming(req);
  const named = namedByConnection(req.headers.connection);
  const apiKey = apiKeyIn(req.headers, named);
  const passed: string[] = [];
  let seen = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const { name, passes, onceBit } = know(raw[at] as string);
    if (onceBit !== 0) {
      if ((seen & onceBit) !== 0) throw unclear(name, 'comes twice');
      seen |= onceBit;
    }
    if (apiKey !== undefined && name === 'authorization') continue;
    if (passes && !named?.has(name)) passed.push(name, raw[at + 1] as string);
  }
  const host = isHttp2 ? hostOfHttp2(req.headers) : req.headers.host;
  const { authorization } = req.headers;
  if (!host && !isHttp10(req)) throw unclear('host', 'is missing');
  if (host && !hostForm.test(host)) throw unclear('host', 'is not a host name or address');
  return {
    passed: isHttp2 ? withOneCookie(passed, req.headers.cookie) : passed,
    host: host ?? '',
    authorization: named?.has('authorization') ? undefined : authorization,
    apiKey,
    keyed: 'idempotency-key' in req.headers && !named?.has('idempotency-key'),
  };
}

const bearerScheme = /^bearer +/i;

/** Undefined where no key is sent. Beside a key no other credential is accepted. */
function apiKeyIn(headers: IncomingHttpHeaders, named: Set<string> | undefined): string | undefined {
  const { authorization, 'x-api-key': own } = headers;
  if (own !== undefined && !named?.has('x-api-key')) {
    if (authorization !== undefined) throw unclear('x-api-key', 'comes beside authorization');
    return String(own);
  }
  if (authorization === undefined || named?.has('authorization')) return undefined;
  const bearer = authorization.replace(bearerScheme, '');
  return bearer !== authorization && apiKeys.looksLikeApiKey(bearer) ? bearer : undefined;
}

/**
 * The parser already refuses both lengths together, two lengths and a bad last coding. It takes codings before the
 * last (`gzip, chunked`), which would be lost because we frame the body ourselves, and chunks from HTTP/1.0, which had none.
 */
function refuseUnclearFraming(req: IncomingMessage): void {
  const coding = req.headers['transfer-encoding'];
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || isHttp10(req))) {
    throw unclear('transfer-encoding', 'only chunked is read');
  }
}

/** RFC 9113 section 8.3.1: who sends both must mean the same, or two servers would see two hosts. */
function hostOfHttp2({ ':authority': authority, host }: IncomingHttpHeaders): string | undefined {
  if (typeof authority !== 'string') return host;
  if (host !== undefined && host !== authority) throw unclear('host', 'is another than :authority');
  return authority;
}

/** HTTP/2 may cut a cookie header into pieces, which must be one again for HTTP/1.1 (RFC 9113 section 8.2.3). */
function withOneCookie(passed: string[], cookie: string | undefined): string[] {
  if (cookie === undefined) return passed;
  const joined: string[] = [];
  for (let at = 0; at < passed.length; at += 2) {
    if (passed[at] !== 'cookie') joined.push(passed[at] as string, passed[at + 1] as string);
  }
  joined.push('cookie', cookie);
  return joined;
}

export function isHttp10({ httpVersionMajor, httpVersionMinor }: IncomingMessage): boolean {
  return httpVersionMajor === 1 && httpVersionMinor === 0;
}

function know(rawName: string): KnownName {
  const known = knownNames.get(rawName);
  if (known !== undefined) return known;
  const name = rawName.toLowerCase();
  // An underscore becomes a dash in many servers: x_user_id would pass for x-user-id.
  const passes =
    !name.startsWith(':') && !ofThisConnection.has(name) && !onlyOurs.test(name) && !name.includes('_');
  const place = once.indexOf(name);
  const fresh = { name, passes, onceBit: place < 0 ? 0 : 1 << place };
  if (knownNames.size < knownNamesLimit) knownNames.set(rawName, fresh);
  return fresh;
}

/** The names a `Connection` header makes part of this connection; undefined for the usual ones. */
export function namedByConnection(connection: string | undefined): Set<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}

function unclear(name: string, detail: string): MalformedRequest {
  return new MalformedRequest({ errors: [{ pointer: name, detail }] });
}
