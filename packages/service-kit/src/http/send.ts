import type { IncomingMessage } from 'node:http';
import { BadUpstream, StepUpRequired, Unavailable } from '@marimo/contracts';
import { problemContentType, Refusal, toProblem } from '@marimo/problems';
import type { Response } from 'express';
import type { AnyReply } from '../route.ts';
import { alreadyHas } from './etag.ts';

/** Milliseconds for a caller to read its refusal while it is still sending a body that is discarded. */
const lingerMs = 2_000;

export function sendReply(
  req: IncomingMessage,
  res: Response,
  { status, body, headers = {} }: AnyReply,
): void {
  res.setHeader('cache-control', 'no-store'); // unless the handler sets another
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);

  const etag = res.getHeader('etag');
  const isRead = req.method === 'GET' || req.method === 'HEAD'; // a change has happened and is reported
  if (
    isRead &&
    status === 200 &&
    typeof etag === 'string' &&
    alreadyHas(req.headers['if-none-match'], etag)
  ) {
    res.writeHead(304).end();
  } else if (body === null || body === undefined) {
    if (status !== 204) res.setHeader('content-length', 0);
    res.writeHead(status).end();
  } else {
    sendText(res, status, 'application/json; charset=utf-8', JSON.stringify(body));
  }
}

/** Sends the problem document of a failure. */
export function sendProblem(req: IncomingMessage, res: Response, thrown: unknown): void {
  const problem = toProblem(thrown, res.locals.exchange.requestId);
  res.setHeader('cache-control', 'no-store');
  if (problem.status === 401) res.setHeader('www-authenticate', challengeFor(thrown));
  if (problem.status === 405 && Array.isArray(problem['allowed'])) res.setHeader('allow', problem['allowed']);
  if (thrown instanceof Refusal && thrown.retryAfterSeconds !== undefined) {
    res.setHeader('retry-after', thrown.retryAfterSeconds);
  }
  if (thrown instanceof Unavailable || thrown instanceof BadUpstream) {
    // For the gateway, which reads no bodies: whether it is this service that cannot serve, or one behind it.
    res.setHeader('x-marimo-about', thrown.facts.service);
  }
  sendText(res, problem.status, problemContentType, JSON.stringify(problem));
  if (!req.complete) cutOff(req);
}

/** RFC 9470: the challenge tells the client to sign in again, not to refresh. */
function challengeFor(thrown: unknown): string {
  if (!(thrown instanceof StepUpRequired)) return 'Bearer';
  return `Bearer error="insufficient_user_authentication", max_age="${thrown.facts.maxAgeSeconds}"`;
}

function sendText(res: Response, status: number, contentType: string, text: string): void {
  res.setHeader('content-type', contentType);
  res.locals.exchange.sentBytes = Buffer.byteLength(text);
  res.setHeader('content-length', res.locals.exchange.sentBytes);
  res.writeHead(status).end(text);
}

/**
 * The caller is still sending. Closing at once would make the network drop the answer with the rest of the body, so
 * what comes is thrown away for a moment.
 */
function cutOff(req: IncomingMessage): void {
  req.resume();
  const timer = setTimeout(() => req.destroy(), lingerMs).unref();
  req.once('close', () => clearTimeout(timer));
}
