import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { MethodNotAllowed } from '@marimo/contracts';
import { problemContentType, Refusal, toProblem } from '@marimo/problems';
import { lingerMs, type ProxiedRequest } from './proxied-request.ts';
import { protection } from './proxy/index.ts';

/** What is left of a short body is thrown away; for more the connection is given up. */
const discardedBytes = 65_536;

/** Sends the problem document of a failure. */
export function refuse(proxied: ProxiedRequest, thrown: unknown): void {
  const { res } = proxied;
  if (res.destroyed || res.writableEnded) return;
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { status, headers, text } = problemFor(thrown, proxied.requestId);
  const unread = isUnread(proxied);
  if (unread) headers.push('connection', 'close');
  proxied.bytesSent = text.length;
  res.writeHead(status, [...proxied.ownHeaders, ...headers]);
  if (unread) {
    endAfterBody(proxied, text);
  } else {
    res.end(text);
    proxied.allWritten();
  }
}

/** Whether more of the body may come than we want to throw away to keep the connection. */
function isUnread({ req, awaitsContinue }: ProxiedRequest): boolean {
  if (req.httpVersionMajor === 2) return false; // a stream can be ended without the others
  const { 'content-length': length, 'transfer-encoding': coding } = req.headers;
  if (length === undefined && coding === undefined) return false;
  if (awaitsContinue) return true; // whether it will send the body is unknown
  return !req.complete && !(Number(length) <= discardedBytes);
}

/**
 * Closing while the client still sends would make the network drop the answer together with the rest of the body. So
 * the connection is kept a little longer and what comes is thrown away.
 */
function endAfterBody(proxied: ProxiedRequest, text: string): void {
  const { req, res } = proxied;
  const end = () => {
    clearTimeout(timer);
    if (res.writableEnded) return;
    res.end();
    proxied.allWritten();
  };
  const timer = setTimeout(end, lingerMs);
  res.write(text);
  req.once('end', end).once('close', end).resume();
}

/** The status, the headers (names and values in turn) and the body of a refusal. */
function problemFor(thrown: unknown, requestId: string) {
  const problem = toProblem(thrown, requestId);
  const text = JSON.stringify(problem);
  const headers = ['content-type', problemContentType, 'content-length', String(Buffer.byteLength(text))];
  headers.push(...protection.flat());
  if (problem.status === 401) headers.push('www-authenticate', 'Bearer');
  if (thrown instanceof MethodNotAllowed) headers.push('allow', thrown.facts.allowed.join(', '));
  if (thrown instanceof Refusal && thrown.retryAfterSeconds !== undefined)
    headers.push('retry-after', String(thrown.retryAfterSeconds));
  return { status: problem.status, headers, text };
}

/** Answers where there is no response object: requests that could not be parsed, and refused upgrades. */
export function refuseOnSocket(socket: Duplex, thrown: unknown, requestId: string): void {
  const { status, headers, text } = problemFor(thrown, requestId);
  const all = ['x-request-id', requestId, ...headers, 'connection', 'close'];
  const lines = all.map((part, at) => (at % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join('');
  endSocket(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines}\r\n${text}`);
}

/** Writes a last message and releases the socket, even when the peer reads nothing. */
export function endSocket(socket: Duplex, words: string): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
  socket.end(words, () => socket.destroy());
}

/** What this connection still owes its client, in whole or in part. Node keeps it under this name. */
export function answerOwedOn(
  socket: Duplex & { _httpMessage?: ServerResponse | null },
): ServerResponse | undefined {
  return socket._httpMessage ?? undefined;
}
