import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DeadlineExceeded } from '@marimo/contracts';
import type { WorkContext, WorkCost } from '@marimo/observability';
import { deadlineFrom, deadlineHeader } from '@marimo/resilience';

export const requestIdHeader = 'x-request-id';

const defaultDeadlineMs = 15_000;

/** One request and its answer, from the first byte to the last: what the log and the metrics will say about it. */
export interface Exchange {
  readonly requestId: string;
  readonly startedAt: number; // performance.now()
  /** The path as the contract writes it; never the caller's own text, which would flood the metrics. */
  route: string;
  /** Of the answer's body, before compression. */
  sentBytes: number;
  /** The reply may hold secrets and is not compressed. */
  secret: boolean;
  /** Asked every few seconds by a machine: not worth a line in the log. */
  quiet?: boolean;
  /** Whose request it was, once that is known. */
  who?: Omit<WorkContext, 'requestId'> | undefined;
  traceparent?: string;
  readonly cost: WorkCost;
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
  return typeof given === 'string' && /^[\w.:-]{8,100}$/.test(given) ? given : randomUUID(); // a tenth of the cost of an ordered id
}

export function deadlineOf(req: IncomingMessage, longestMs = defaultDeadlineMs): number {
  const given = req.headers[deadlineHeader];
  return deadlineFrom(typeof given === 'string' ? given : undefined, longestMs, Date.now());
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
