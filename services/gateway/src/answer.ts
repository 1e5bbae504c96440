import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { MethodNotAllowed } from '@marimo/contracts';
import { problemContentType, Refusal, toProblem } from '@marimo/problems';
import { lingerMs, type Passage } from './passage.ts';
import { protection } from './proxy/index.ts';

/** What is left of a short body is thrown away; for more the connection is given up. */
const discardedBytes = 65_536;

/** What every failure looks like from outside. */
export function refuse(passage: Passage, thrown: unknown): void {
  const { res } = passage;
  if (res.destroyed || res.writableEnded) return;
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const problem = toProblem(thrown, passage.requestId);
  const text = JSON.stringify(problem);
  const headers = [...passage.ownHeaders, 'content-type', problemContentType];
  headers.push('content-length', String(Buffer.byteLength(text)));
  for (const [name, value] of protection) headers.push(name, value);
  if (problem.status === 401) headers.push('www-authenticate', 'Bearer');
  if (thrown instanceof MethodNotAllowed) headers.push('allow', thrown.facts.allowed.join(', '));
  if (thrown instanceof Refusal && thrown.retryAfterSeconds !== undefined) {
    headers.push('retry-after', String(thrown.retryAfterSeconds));
  }
  const unread = isUnread(passage);
  if (unread) headers.push('connection', 'close');
  passage.bytesSent = text.length;
  res.writeHead(problem.status, headers);
  if (unread) {
    endAfterBody(passage, text);
  } else {
    res.end(text);
    passage.allWritten();
  }
}

/** Whether more of the body may come than we want to throw away to keep the connection. */
function isUnread({ req, awaitsContinue }: Passage): boolean {
  if (req.httpVersionMajor === 2) return false; // a stream can be ended without the others
  const { 'content-length': length, 'transfer-encoding': coding } = req.headers;
  if (length === undefined && coding === undefined) return false;
  if (awaitsContinue) return true; // it may send the body or not; nobody can tell
  return !req.complete && !(Number(length) <= discardedBytes);
}

/**
 * Closing while the client still sends would make the network drop the answer together with the rest of the body. So
 * the connection is kept a little longer and what comes is thrown away.
 */
function endAfterBody(passage: Passage, text: string): void {
  const { req, res } = passage;
  const end = () => {
    clearTimeout(timer);
    if (res.writableEnded) return;
    res.end();
    passage.allWritten();
  };
  const timer = setTimeout(end, lingerMs);
  res.write(text);
  req.once('end', end).once('close', end).resume();
}

/** Answers where there is no response object: requests that could not be parsed, and refused upgrades. */
export function refuseOnSocket(socket: Duplex, thrown: unknown, requestId: string): void {
  const problem = toProblem(thrown, requestId);
  const text = JSON.stringify(problem);
  const headers: Record<string, string | number> = {
    'x-request-id': requestId,
    'content-type': problemContentType,
    'content-length': Buffer.byteLength(text),
    connection: 'close',
    ...Object.fromEntries(protection),
  };
  if (problem.status === 401) headers['www-authenticate'] = 'Bearer';
  if (thrown instanceof Refusal && thrown.retryAfterSeconds !== undefined) {
    headers['retry-after'] = thrown.retryAfterSeconds;
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  endSocket(
    socket,
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join('')}\r\n${text}`,
  );
}

/** Writes the last words and lets go of the socket, also when the peer reads nothing. */
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
