import { type AnyEndpoint, BadUpstream, DeadlineExceeded, Unavailable } from '@marimo/contracts';
import {
  currentContext,
  currentTraceparent,
  inSpan,
  type Log,
  type Metrics,
  SpanKind,
} from '@marimo/observability';
import type { Pass } from './breaker.ts';
import type { Chosen } from './connections.ts';
import { type Deadline, deadlineHeader } from './deadline.ts';
import { type Answer, type Exchanged, exchange, ReplyTooLarge } from './exchange.ts';
import { RefusedByService } from './refused.ts';
import { readAnswer } from './reply.ts';
import type { WireRequest } from './request.ts';
import type { AttemptFailure } from './retry.ts';

/** Names the person in whose name a service acts; believed only beside a service's own token. */
export const authorHeader = 'x-marimo-author';

/** One call with all that stays the same over its attempts. */
export interface OutgoingCall {
  readonly endpoint: AnyEndpoint;
  readonly service: string;
  readonly request: WireRequest;
  readonly bearer: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly authorId: string | undefined;
  readonly deadline: Deadline;
}

/** How one attempt ended: a reply, something final to throw, or a failure that another attempt may mend. */
export type Attempt = { readonly verdict: keyof Pass } & (
  | { readonly kind: 'replied'; readonly reply: unknown }
  | { readonly kind: 'final'; readonly error: unknown }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure; readonly error: unknown }
);

export interface Attempting {
  readonly caller: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly maxReplyBytes: number;
}

/** Less time than this before the deadline says nothing of an instance that did not answer in it. */
const fairChanceMs = 1_000;

/** Makes one attempt at one instance, tells its breaker how it went, and never rejects. */
export function attemptAt({ caller, log, metrics, maxReplyBytes }: Attempting) {
  const seconds = metrics.histogram('client_request_duration_seconds', 'Attempts at other services', [
    'target',
    'outcome',
  ]);

  return (call: OutgoingCall, { instance, connection }: Chosen, pass: Pass): Promise<Attempt> => {
    const { service, endpoint, request } = call;
    const name = `${request.method} ${endpoint.path}`;
    const attributes = { 'server.address': instance.id };
    return inSpan(caller, name, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      const startedAt = performance.now();
      connection.running += 1;
      const sent = { ...request, headers: headersOf(call) };
      const exchanged = await exchange(connection.pool, sent, {
        signal: call.deadline.signal,
        maxReplyBytes,
      });
      connection.running -= 1;

      const elapsedMs = performance.now() - startedAt;
      const attempt = judge(call, exchanged, elapsedMs);
      pass[attempt.verdict]();
      const outcome = attempt.kind === 'failed' ? attempt.failure : attempt.kind;
      seconds.observe({ target: service, outcome }, elapsedMs / 1_000);
      span.setAttribute('outcome', outcome);
      if (attempt.kind !== 'replied' && worthALine(attempt)) {
        log.warn('a call to another service failed', {
          target: instance.id,
          call: name,
          outcome,
          error: attempt.error,
        });
      }
      return attempt;
    });
  };
}

function headersOf({
  request,
  bearer,
  idempotencyKey,
  authorId,
  deadline,
}: OutgoingCall): Record<string, string> {
  const requestId = currentContext()?.requestId;
  const traceparent = currentTraceparent();
  return {
    accept: 'application/json',
    [deadlineHeader]: String(Math.floor(deadline.at)),
    ...(request.body !== null && { 'content-type': 'application/json' }),
    ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    ...(authorId !== undefined && { [authorHeader]: authorId }),
    ...(requestId !== undefined && { 'x-request-id': requestId }),
    ...(traceparent !== undefined && { traceparent }),
  };
}

function judge(call: OutgoingCall, exchanged: Exchanged, elapsedMs: number): Attempt {
  if (exchanged.kind === 'answered') return judgeAnswer(call, exchanged.answer);
  const { service, deadline } = call;
  const { failure, error } = exchanged;
  if (deadline.signal.aborted) {
    const reason: unknown = deadline.signal.reason;
    if (!(reason instanceof DeadlineExceeded)) {
      return { kind: 'failed', verdict: 'abandoned', failure: 'given-up', error: reason };
    }
    const verdict = elapsedMs < fairChanceMs ? 'abandoned' : 'failed';
    return { kind: 'failed', verdict, failure: 'out-of-time', error: reason };
  }
  if (error instanceof ReplyTooLarge)
    return { kind: 'final', verdict: 'succeeded', error: bad(service, error) };
  // undici does not take what we wrote: our own fault, and the same at every instance.
  if (cannotBeSent(error)) return { kind: 'final', verdict: 'abandoned', error };
  if (failure === 'not-sent') {
    const unavailable = Object.assign(new Unavailable({ service }, { retryAfterSeconds: 1 }), {
      cause: error,
    });
    return { kind: 'failed', verdict: 'failed', failure, error: unavailable };
  }
  return { kind: 'failed', verdict: 'failed', failure, error: bad(service, error) };
}

function judgeAnswer({ endpoint, service }: OutgoingCall, answer: Answer): Attempt {
  const reading = readAnswer(endpoint, service, answer);
  if (reading.kind === 'reply') return { kind: 'replied', verdict: 'succeeded', reply: reading.reply };
  const error = reading.kind === 'refusal' ? reading.refusal : bad(service, new Error(reading.why));
  if (reading.health === 'turned-away')
    return { kind: 'failed', verdict: 'failed', failure: 'turned-away', error };
  return { kind: 'final', verdict: reading.health === 'well' ? 'succeeded' : 'failed', error };
}

function bad(service: string, cause: Error): BadUpstream {
  return Object.assign(new BadUpstream({ service }), { cause });
}

function cannotBeSent(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED';
}

/** Refusals are everyday; the caller's impatience is its own affair. */
function worthALine({ kind, verdict, error }: Exclude<Attempt, { kind: 'replied' }>): boolean {
  return verdict === 'failed' || (kind === 'final' && !(error instanceof RefusedByService));
}
