import {
  BadUpstream,
  BodyTooLarge,
  DeadlineExceeded,
  MalformedRequest,
  Unavailable,
} from '@marimo/contracts';
import { Refusal } from '@marimo/problems';
import type { AttemptFailure, Pass } from '@marimo/resilience';
import { ClientGone, type ProxiedRequest } from '../proxied-request.ts';
import { type Outcome, TurnedAway } from './attempt.ts';

type Failed = Extract<Outcome, { kind: 'failed' }>;

/** Less time than this before the deadline says nothing of an instance that did not answer in it. */
const fairChanceMs = 1_000;

/** Tells the instance's breaker how it went. */
export function tell(leave: Pass, outcome: Outcome, elapsedMs: number, proxied: ProxiedRequest): void {
  const verdict = verdictOn(outcome, elapsedMs, proxied);
  if (verdict === 'good') leave.succeeded();
  else if (verdict === 'bad') leave.failed();
  else leave.abandoned();
}

function verdictOn(outcome: Outcome, elapsedMs: number, { req }: ProxiedRequest): 'good' | 'bad' | 'unknown' {
  if (outcome.kind === 'answered') {
    const whole = outcome.broken === undefined || outcome.broken instanceof ClientGone;
    return whole && (outcome.status < 500 || outcome.isDownstreamFailure) ? 'good' : 'bad';
  }
  if (isOurs(outcome.error)) return 'unknown';
  // Out of time with the body still coming, the client was slow and not the instance; the last try before a
  // deadline may have come too late for any instance.
  const unfair = elapsedMs < fairChanceMs || !req.complete;
  return outcome.error instanceof DeadlineExceeded && unfair ? 'unknown' : 'bad';
}

export function failureOf({ error, sent }: Failed): AttemptFailure {
  if (error instanceof TurnedAway) return 'turned-away';
  if (error instanceof DeadlineExceeded) return 'out-of-time';
  if (isOurs(error)) return 'given-up';
  return sent ? 'no-answer' : 'not-sent';
}

/** A label of metrics. */
export function labelOf(outcome: Outcome): string {
  if (outcome.kind === 'failed') return failureOf(outcome);
  if (outcome.broken !== undefined)
    return outcome.broken instanceof ClientGone ? 'given-up' : 'broken-answer';
  return `${Math.trunc(outcome.status / 100)}xx`;
}

/** What the client is told. */
export function refusalFor({ error, sent }: Failed, service: string): Error {
  if (error instanceof Refusal || error instanceof ClientGone) return error;
  if (cannotBeSent(error)) {
    return new MalformedRequest({ errors: [{ pointer: 'request', detail: 'it cannot be passed on' }] });
  }
  // Only what was never sent surely changed nothing.
  return sent ? new BadUpstream({ service }) : new Unavailable({ service }, { retryAfterSeconds: 1 });
}

/** It ended on our side or the client's, which says nothing of the instance. */
function isOurs(error: Error): boolean {
  return error instanceof ClientGone || error instanceof BodyTooLarge || cannotBeSent(error);
}

/** undici reads requests more narrowly than the parser did; what it does not take was the client's doing. */
function cannotBeSent(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED';
}
