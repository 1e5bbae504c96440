import { Unavailable } from '@marimo/contracts';
import { currentTraceparent, inSpan, SpanKind } from '@marimo/observability';
import {
  type AttemptFailure,
  type Breakers,
  backoffMs,
  maxAttempts,
  mayRetry,
  RetryBudget,
} from '@marimo/resilience';
import type { GatewayMetrics } from '../metrics.ts';
import type { ProxiedRequest } from '../proxied-request.ts';
import { attempt, type Outcome } from './attempt.ts';
import { failureOf, labelOf, refusalFor, tell } from './outcome.ts';
import { StreamedBody } from './request-body.ts';
import type { Upstream, Upstreams, Wanted } from './upstreams.ts';

/** A checked request, ready to be sent on. */
export interface Outgoing extends Wanted {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: readonly string[];
  /** A short body, already here; a long one is streamed from the request. */
  readonly held: Buffer | undefined;
  readonly streamLimitBytes: number | undefined;
  /** The caller sent an `Idempotency-Key`. */
  readonly keyed: boolean;
}

export interface Forwarding {
  readonly upstreams: Upstreams;
  readonly breakers: Breakers;
  readonly metrics: GatewayMetrics;
}

export type Forward = (proxied: ProxiedRequest, request: Outgoing) => Promise<void>;

const restMs = 1_000;

/** Sends a request to an instance of its service, and to another where that is safe. Returns once it is answered. */
export function forwarder({ upstreams, breakers, metrics }: Forwarding): Forward {
  const budgetOf = retryBudgets();
  return async (proxied, request) => {
    const { service } = request;
    const budget = budgetOf(service);
    budget.earn();
    const tried = new Set<Upstream>();
    const isOpen = (one: Upstream) => breakers.isOpen(one.instance);
    const untried = () => {
      const isOut = (one: Upstream) => tried.has(one) || isOpen(one);
      return upstreams.choose(request, (one) => isOut(one) || rests(one)) ?? upstreams.choose(request, isOut);
    };
    for (let tries = 1; ; tries++) {
      const fresh = untried();
      if (fresh === undefined && tries > 1) await pause(proxied, backoffMs(tries - 1));
      const upstream = fresh ?? upstreams.choose(request, isOpen);
      const leave = upstream && breakers.enter(upstream.instance);
      if (upstream === undefined || leave === undefined)
        throw new Unavailable({ service }, { retryAfterSeconds: 1 });

      tried.add(upstream);
      proxied.countTry(tries);
      const body = bodyOf(proxied, request);
      const allowed = (failure: AttemptFailure) =>
        tries < maxAttempts && isWhole(body) && mayRetry({ ...request, failure }) && budget.spend();
      const tryElsewhere = () => untried() !== undefined && allowed('turned-away');
      const startedAt = performance.now();
      upstream.inFlight += 1;
      const outcome = await send(upstream, proxied, request, body, tryElsewhere);
      upstream.inFlight -= 1;
      const elapsedMs = performance.now() - startedAt;
      tell(leave, outcome, elapsedMs, proxied);
      metrics.upstreamSeconds(service, labelOf(outcome))(elapsedMs / 1000);
      if (outcome.kind === 'answered') return;

      const failure = failureOf(outcome);
      if (failure === 'no-answer' || failure === 'not-sent') upstream.restsUntil = performance.now() + restMs;
      // Having been turned away was weighed, and paid for, as it happened.
      if (failure !== 'turned-away' && !allowed(failure)) throw refusalFor(outcome, service);
      metrics.retries.inc({ upstream: service, reason: failure });
    }
  };
}

/**
 * Whether it failed a moment ago: others come first, where there are any. A breaker weighs a whole window, so one that
 * went well for long and then breaks down would take many with it.
 */
function rests({ restsUntil }: Upstream): boolean {
  return restsUntil !== 0 && restsUntil > performance.now();
}

/** Never rejects. Not async: each promise on this way is a turn of the queue for every request. */
function send(
  upstream: Upstream,
  proxied: ProxiedRequest,
  { service, method, path, headers }: Outgoing,
  body: Buffer | StreamedBody | null,
  tryElsewhere: () => boolean,
): Promise<Outcome> {
  return inSpan('gateway', `${method} ${service}`, { kind: SpanKind.CLIENT }, (span) => {
    const traceparent = currentTraceparent();
    const all = traceparent === undefined ? headers : [...headers, 'traceparent', traceparent];
    span.setAttribute('server.address', upstream.instance.id);
    return attempt(
      upstream.pool,
      { method, path, headers: all as string[], body },
      proxied,
      service,
      tryElsewhere,
    );
  });
}

/** Made for each try, so that one try does not affect the stream of the next. */
function bodyOf({ req }: ProxiedRequest, { held, streamLimitBytes }: Outgoing): Buffer | StreamedBody | null {
  return streamLimitBytes === undefined ? (held ?? null) : new StreamedBody(req, streamLimitBytes);
}

function isWhole(body: Buffer | StreamedBody | null): boolean {
  return !(body instanceof StreamedBody) || body.untouched;
}

function retryBudgets(): (service: string) => RetryBudget {
  const budgets = new Map<string, RetryBudget>();
  return (service) => {
    let budget = budgets.get(service);
    if (budget === undefined) {
      budget = new RetryBudget();
      budgets.set(service, budget);
    }
    return budget;
  };
}

/** Rejects as soon as the proxied is cancelled. */
function pause(proxied: ProxiedRequest, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      proxied.interruptWith(undefined);
      resolve();
    }, ms);
    proxied.interruptWith((reason) => {
      clearTimeout(timer);
      reject(reason);
    });
  });
}
