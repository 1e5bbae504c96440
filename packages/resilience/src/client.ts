import type { AnyEndpoint, BodyInputOf, ParamsInputOf, QueryInputOf, ReplyOf } from '@marimo/contracts';

type Given<Name extends string, T> = T extends undefined
  ? { readonly [K in Name]?: undefined }
  : { readonly [K in Name]: T };

export type CallInput<E> = Given<'params', ParamsInputOf<E>> &
  Given<'query', QueryInputOf<E>> &
  Given<'body', BodyInputOf<E>> & {
    /** The caller's own access token, handed on. */
    readonly bearer?: string;
    readonly idempotencyKey?: string;
    /** Milliseconds since the epoch; the endpoint's own when absent. */
    readonly deadlineAt?: number;
    readonly signal?: AbortSignal;
  };

/**
 * Calls other services by contract: discovery, deadline, breaker per service and instance, retries by the table in
 * `docs/resilience.md`. A refusal of the other service is thrown as `RefusedByService`; failures as `Unavailable`,
 * `BadUpstream` or `DeadlineExceeded`.
 */
export interface ServiceClient {
  call<E extends AnyEndpoint>(endpoint: E, input: CallInput<E>): Promise<ReplyOf<E>>;
  close(): Promise<void>;
}
