import type { IncomingMessage, ServerResponse } from 'node:http';
import { DeadlineExceeded, newId } from '@marimo/contracts';

/** A deadline in milliseconds since the epoch. From outside it can only shorten what the endpoint allows. */
export const deadlineHeader = 'x-marimo-deadline';
export const requestIdHeader = 'x-request-id';

const defaultDeadlineMs = 15_000;

/** One request and its answer, from the first byte to the last: what the log and the metrics will say about it. */
export interface Exchange {
  readonly requestId: string;
  readonly startedAt: number; // performance.now()
  /** The path as the contract writes it; never the caller's own text, which would flood the metrics. */
  route: string;
}

declare global {
  namespace Express {
    interface Locals {
      exchange: Exchange;
    }
  }
}

/** Thrown into the work of a caller who has hung up; nobody sees it. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

/** A request id from outside is kept only if it looks like one: it goes into logs and headers. */
export function requestIdOf(req: IncomingMessage): string {
  const given = req.headers[requestIdHeader];
  return typeof given === 'string' && /^[\w.:-]{8,100}$/.test(given) ? given : newId();
}

export function deadlineOf(req: IncomingMessage, longestMs = defaultDeadlineMs): number {
  const own = Date.now() + longestMs;
  const given = Number(req.headers[deadlineHeader]);
  return Number.isSafeInteger(given) && given > 0 ? Math.min(own, given) : own;
}

/**
 * Runs the work until the deadline or until the caller has gone, whichever is first; then the signal fires and the
 * promise rejects at once, whatever the work does. What it began in the database is cancelled through the signal.
 */
export async function withinDeadline<T>(
  deadlineAt: number,
  res: ServerResponse,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (deadlineAt <= Date.now()) throw new DeadlineExceeded({});
  const controller = new AbortController();
  const { signal } = controller;
  const timer = setTimeout(() => controller.abort(new DeadlineExceeded({})), deadlineAt - Date.now());
  const onClose = () => controller.abort(new CallerGone());
  res.once('close', onClose);
  try {
    return await Promise.race([rejection(signal), work(signal)]);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    clearTimeout(timer);
    res.off('close', onClose);
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
