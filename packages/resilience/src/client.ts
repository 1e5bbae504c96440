import {
  type AnyEndpoint,
  type BodyInputOf,
  type ParamsInputOf,
  type QueryInputOf,
  type ReplyOf,
  Unavailable,
} from '@marimo/contracts';
import type { Registry } from '@marimo/discovery';
import type { Log, Metrics } from '@marimo/observability';
import { attemptAt, type OutgoingCall } from './attempt.ts';
import { type BreakerSettings, Breakers } from './breaker.ts';
import { type ConnectionSettings, Connections } from './connections.ts';
import { startDeadline } from './deadline.ts';
import { buildRequest, serviceOf } from './request.ts';
import { backoffMs, maxAttempts, mayRetry, RetryBudget, type RetryBudgetSettings } from './retry.ts';

type Given<Name extends string, T> = T extends undefined
  ? { readonly [K in Name]?: undefined }
  : { readonly [K in Name]: T };

export type CallInput<E> = Given<'params', ParamsInputOf<E>> &
  Given<'query', QueryInputOf<E>> &
  Given<'body', BodyInputOf<E>> & {
    /** The caller's own access token, handed on. */
    readonly bearer?: string;
    readonly idempotencyKey?: string;
    /** Milliseconds since the epoch; never later than the endpoint's own, which counts when absent. */
    readonly deadlineAt?: number;
    readonly signal?: AbortSignal;
  };

/**
 * Calls other services by contract: discovery, deadline, breaker per service and instance, retries by the table in
 * `docs/resilience.md`. What went wrong is thrown:
 *
 * `RefusedByService`  it answered with a problem; the code, kind and facts are kept.
 * `Unavailable`       nothing was sent: no instance, none reachable, or their breakers are open.
 * `BadUpstream`       it may have been done, but no usable answer came.
 * `DeadlineExceeded`  the time is up; it may have been done.
 * the signal's reason when the caller gave up.
 */
export interface ServiceClient {
  call<E extends AnyEndpoint>(endpoint: E, input: CallInput<E>): Promise<ReplyOf<E>>;
  close(): Promise<void>;
}

export interface ServiceClientOptions {
  readonly registry: Registry;
  /** Who calls; its name stands on the spans. */
  readonly service: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Proves to endpoints for services that one is calling; sent to no other. */
  readonly internalSecret?: string;
  readonly breaker?: Partial<BreakerSettings>;
  readonly connections?: Partial<ConnectionSettings>;
  readonly retryBudget?: RetryBudgetSettings;
  /** Larger replies are refused; 8 MiB unless told. */
  readonly maxReplyBytes?: number;
}

const defaultDeadlineMs = 15_000;
const connectionDefaults: ConnectionSettings = {
  connections: 64,
  connectTimeoutMs: 2_000,
  bodyTimeoutMs: 30_000,
};

export function createServiceClient(options: ServiceClientOptions): ServiceClient {
  const { registry, service: caller, log, metrics, internalSecret } = options;
  const { maxReplyBytes = 8 * 1024 * 1024 } = options;
  const connections = new Connections(registry, { ...connectionDefaults, ...options.connections });
  const breakers = new Breakers({ metrics, log, ...(options.breaker && { settings: options.breaker }) });
  const budgets = new Map<string, RetryBudget>();
  const retries = metrics.counter('client_retries_total', 'Calls sent again', ['target', 'reason']);
  const attempt = attemptAt({ caller, log, metrics, internalSecret, maxReplyBytes });

  function budgetOf(service: string): RetryBudget {
    const budget = budgets.get(service) ?? new RetryBudget(options.retryBudget);
    budgets.set(service, budget);
    return budget;
  }

  async function callWithRetries(call: OutgoingCall): Promise<unknown> {
    const { service, deadline } = call;
    const budget = budgetOf(service);
    budget.earn();
    const tried = new Set<string>();
    for (let tries = 1; ; tries++) {
      const chosen = connections.choose(service, tried, (instance) => breakers.isOpen(instance));
      const pass = chosen && breakers.enter(chosen.instance);
      if (chosen === undefined || pass === undefined)
        throw new Unavailable({ service }, { retryAfterSeconds: 1 });
      tried.add(chosen.instance.id);

      const ended = await attempt(call, chosen, pass);
      if (ended.kind === 'replied') return ended.reply;
      if (ended.kind === 'final') throw ended.error;
      const keyed = call.idempotencyKey !== undefined;
      const allowed = mayRetry({ method: call.request.method, keyed, failure: ended.failure });
      if (!allowed || tries === maxAttempts || !budget.spend()) throw ended.error;
      if (!(await deadline.leavesTimeFor(backoffMs(tries)))) throw ended.error;
      retries.inc({ target: service, reason: ended.failure });
    }
  }

  return {
    async call<E extends AnyEndpoint>(endpoint: E, input: CallInput<E>): Promise<ReplyOf<E>> {
      const ownDeadline = Date.now() + (endpoint.deadlineMs ?? defaultDeadlineMs);
      const deadline = startDeadline(Math.min(input.deadlineAt ?? ownDeadline, ownDeadline), input.signal);
      try {
        const reply = await callWithRetries({
          endpoint,
          service: serviceOf(endpoint),
          request: buildRequest(endpoint, input),
          bearer: input.bearer,
          idempotencyKey: input.idempotencyKey,
          deadline,
        });
        return reply as ReplyOf<E>; // held against the endpoint's own contract
      } finally {
        deadline.end();
      }
    },
    async close() {
      breakers.close();
      await connections.close();
    },
  };
}
