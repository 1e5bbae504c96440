import type { IncomingMessage } from 'node:http';
import { Absent, MalformedRequest } from '@marimo/contracts';

/** Where a request wants to go. */
export interface Target {
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
  /** The service of `/api/v<n>/<service>/…`; undefined for the gateway's own pages. */
  readonly service: string | undefined;
}

const apiPath = /^\/api\/v[1-9]\d{0,2}\/([a-z][a-z0-9-]*)(?:\/|$)/;
/** Read differently by different servers: control characters, backslash, empty segments, `.` and `..` also as `..;`. */
const ambiguous = /[\p{Cc}\\]|\/\/|\/\.{1,2}(?:[/;]|$)/u;
/** Encoded once more: a server that decodes twice would see another path than we did. */
const encodedTwice = /%(?:2e|2f|5c|00)/i;
const internal = /^\/(?:api\/v\d+\/(?:[^/]+\/)?)?internal(?:\/|$)/i;

/** `http://host:port/path?query`, as clients of a proxy send it. */
const absoluteForm = /^https?:\/\/([^/?#]*)(.*)$/i;

/**
 * Reads the target of a request. Where it is in absolute form its host takes the place of `Host` and its path that of
 * the URL (RFC 9112 section 3.2.2); a request of HTTP/2 has a header of its own for the host.
 */
export function targetOf(req: IncomingMessage): Target {
  const { url = '', headers, httpVersionMajor } = req;
  const [, authority, rest = ''] = (url.startsWith('/') ? undefined : absoluteForm.exec(url)) ?? [];
  if (authority === undefined || httpVersionMajor !== 1) return readTarget(url);
  if (authority === '') throw malformed('the target has no host');
  if (headers.host !== undefined) headers.host = authority; // one without `Host` is still refused for that
  req.url = rest.startsWith('/') ? rest : `/${rest}`;
  return readTarget(req.url);
}

/** Reads a target in origin form and refuses what two servers could read as two paths. */
export function readTarget(url: string): Target {
  if (!url.startsWith('/')) throw malformed('the target must be a path');
  if (url.includes('#')) throw malformed('a fragment is not sent');
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  const query = end < 0 ? '' : url.slice(end);
  const decoded = path.includes('%') ? decodedOnce(path) : path;
  if (ambiguous.test(decoded)) throw malformed('the path is ambiguous');
  if (internal.test(decoded)) throw new Absent({ resource: 'page' });
  return { path, query, service: serviceOf(path) };
}

function decodedOnce(path: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw malformed('the path is not percent-encoded UTF-8');
  }
  if (encodedTwice.test(decoded) || slashes(decoded) !== slashes(path)) {
    throw malformed('the path is ambiguous');
  }
  return decoded;
}

function slashes(text: string): number {
  return text.split('/').length;
}

function serviceOf(path: string): string | undefined {
  const service = apiPath.exec(path)?.[1];
  if (service !== undefined) return service;
  if (path === '/api' || path.startsWith('/api/')) throw new Absent({ resource: 'service of this name' });
  return undefined;
}

function malformed(detail: string): MalformedRequest {
  return new MalformedRequest({ errors: [{ pointer: 'path', detail }] });
}
