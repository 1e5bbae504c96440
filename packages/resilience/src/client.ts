import {
  type AnyEndpoint,
  type BodyInputOf,
  isForServices,
  newId,
  type ParamsInputOf,
  type QueryInputOf,
  type ReplyOf,
  Unavailable,
} from '@marimo/contracts';
import { serviceTokens } from '@marimo/contracts/users';
import type { Registry } from '@marimo/discovery';
import type { Log, Metrics } from '@marimo/observability';
import { attemptAt, type OutgoingCall } from './attempt.ts';
import { type BreakerSettings, Breakers } from './breaker.ts';
import { type ConnectionSettings, Connections } from './connections.ts';
import { startDeadline } from './deadline.ts';
import { because, isAboutToken, type OwnTokensOptions, ownTokens } from './own-tokens.ts';
import { buildRequest, serviceOf } from './request.ts';
import type { RetryBudgetSettings } from './retry.ts';
import { sender } from './send.ts';

type InputPart<Name extends string, T> = T extends undefined
  ? { readonly [K in Name]?: undefined }
  : { readonly [K in Name]: T };

export type CallInput<E> = InputPart<'params', ParamsInputOf<E>> &
  InputPart<'query', QueryInputOf<E>> &
  InputPart<'body', BodyInputOf<E>> & {
    /** The caller's own access token, handed on. Endpoints for services get one of the service's own instead. */
    readonly bearer?: string;
    /** The organisation to act in at an endpoint for services, and the only one it can be. */
    readonly organisationId?: string;
    /** At an endpoint for services: the person in whose name this service acts, whose right it has checked. */
    readonly authorId?: string;
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
  /** What the service proves itself to `users` with, for tokens of its own. Without it no endpoint for services can be called. */
  readonly secret?: string;
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
  const { registry, service: caller, log, metrics, secret } = options;
  const { maxReplyBytes = 8 * 1024 * 1024 } = options;
  const connections = new Connections(registry, { ...connectionDefaults, ...options.connections });
  const breakers = new Breakers({ metrics, log, ...(options.breaker && { settings: options.breaker }) });
  const attempt = attemptAt({ caller, log, metrics, maxReplyBytes });
  const { retryBudget } = options;
  const send = sender({ connections, breakers, attempt, metrics, ...(retryBudget && { retryBudget }) });
  // Keyed: a second token harms nobody, so it may be asked for again.
  const issue: OwnTokensOptions['issue'] = (body) =>
    call(serviceTokens.issue, { body, idempotencyKey: newId() });
  const tokens = secret === undefined ? undefined : ownTokens({ service: caller, secret, issue, log });

  /** With a token of our own. One that is refused was withdrawn, perhaps with its key: another is tried, once. */
  async function callForOurselves(call: OutgoingCall, organisationId: string | undefined): Promise<unknown> {
    const { service, endpoint, deadline } = call;
    if (tokens === undefined) throw new Error(`${endpoint.path} is for services; ${caller} has no secret`);
    const token = await tokens.get(organisationId, deadline.signal);
    try {
      return await send({ ...call, bearer: token });
    } catch (thrown) {
      if (!isAboutToken(thrown)) throw thrown;
      log.warn('our own token was refused', { target: service, call: endpoint.path });
      const other = await tokens.replace(token, organisationId, deadline.signal);
      // Passed on, a 401 would tell our own caller to sign in, who can do nothing about it.
      const unavailable = new Unavailable({ service }, { retryAfterSeconds: 1 });
      if (other === undefined) throw because(thrown, unavailable);
      return send({ ...call, bearer: other }).catch((again: unknown) => {
        throw isAboutToken(again) ? because(again, unavailable) : again;
      });
    }
  }

  async function call<E extends AnyEndpoint>(endpoint: E, input: CallInput<E>): Promise<ReplyOf<E>> {
    const ownDeadline = Date.now() + (endpoint.deadlineMs ?? defaultDeadlineMs);
    const deadline = startDeadline(Math.min(input.deadlineAt ?? ownDeadline, ownDeadline), input.signal);
    try {
      const outgoing = {
        endpoint,
        service: serviceOf(endpoint),
        request: buildRequest(endpoint, input),
        bearer: input.bearer,
        idempotencyKey: input.idempotencyKey,
        authorId: isForServices(endpoint.access) ? input.authorId : undefined, // whoever signs in is the author
        deadline,
      };
      const reply = isForServices(endpoint.access)
        ? await callForOurselves(outgoing, input.organisationId)
        : await send(outgoing);
      return reply as ReplyOf<E>; // held against the endpoint's own contract
    } finally {
      deadline.end();
    }
  }

  return {
    call,
    async close() {
      breakers.close();
      await connections.close();
    },
  };
}
