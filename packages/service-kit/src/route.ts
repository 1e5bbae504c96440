import type { Readable } from 'node:stream';
import type {
  AnyEndpoint,
  BodyOf,
  ForServices,
  ParamsOf,
  QueryOf,
  ReplyOf,
  SignedInEndpoint,
} from '@marimo/contracts';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import type { Caller, CallingService } from './caller.ts';
import type { Repeat } from './idempotency/repeat.ts';

/** One validated, permitted request. */
export interface Call<E extends AnyEndpoint = AnyEndpoint> {
  readonly params: ParamsOf<E>;
  readonly query: QueryOf<E>;
  readonly body: BodyOf<E>;
  /** The body as it arrives, for endpoints that declare a stream. */
  readonly stream: Readable;
  readonly contentType: string;
  /** Whoever has signed in; undefined on public endpoints and on those for services. */
  readonly caller: CallerOf<E['access']>;
  /** The service that calls for itself, on endpoints for services. */
  readonly service: CallingServiceOf<E['access']>;
  /** The organisation of the caller or of the service; throws `Unauthenticated` where the service acts in none. */
  readonly tenantId: TenantIdOf<E['access']>;
  readonly requestId: string;
  /** The address the request came from, as the gateway established it. */
  readonly address: string;
  /** What the caller's program calls itself; anybody can say anything here. */
  readonly userAgent: string;
  readonly ifMatch: string | undefined;
  /** As sent; where the endpoint keeps its answers, `inTenant` heeds it by itself. */
  readonly idempotencyKey: string | undefined;
  readonly deadlineAt: number;
  /** Fires when the caller has gone or the deadline has passed. */
  readonly signal: AbortSignal;
  /** What `inTenant` keeps the answer for, and `groupCommit`; undefined where the endpoint keeps none. */
  readonly repeat: Repeat | undefined;
  /**
   * The business transaction: sees the caller's tenant and keeps the answer with the `Idempotency-Key` in the same
   * commit. Each kind of transaction here is cancelled with the request, and its work may run more than once, so it has
   * no effect outside.
   */
  inTenant<R>(work: (tx: TenantTransaction) => Promise<R>): Promise<R>;
  /** Read-only; on the replica where the endpoint allows it. */
  readInTenant<R>(work: (tx: TenantTransaction) => Promise<R>): Promise<R>;
  /** In an organisation that the request names in another way than by its caller, such as the one of an invitation. */
  inTenantOf<R>(tenantId: string, work: (tx: TenantTransaction) => Promise<R>): Promise<R>;
  /** Global tables only. */
  withoutTenant<R>(work: (tx: Transaction) => Promise<R>): Promise<R>;
}

/** A call of someone who has signed in, whatever the endpoint. */
export type SignedInCall = Call<SignedInEndpoint>;

type CallerOf<Who> = Who extends 'public' | ForServices ? undefined : Caller;
type CallingServiceOf<Who> = Who extends ForServices ? CallingService : undefined;
type TenantIdOf<Who> = Who extends 'public' ? undefined : string;

export type Reply<E extends AnyEndpoint> = ReplyOf<E> & {
  readonly headers?: Readonly<Record<string, string>>;
};

export interface AnyReply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly endpoint: AnyEndpoint;
  readonly handler: (call: Call) => Promise<AnyReply>;
}

/** Binds a contract to the code that answers it. */
export function handle<E extends AnyEndpoint>(
  endpoint: E,
  handler: (call: Call<E>) => Promise<Reply<E>>,
): Route {
  // Routes of different endpoints stand in one list; the types were checked here, where both are known.
  return { endpoint, handler: handler as unknown as Route['handler'] };
}

/** An answer; its status and body must be one of those the contract lists. */
export function reply<const S extends number, B>(
  status: S,
  body: B,
  headers: Readonly<Record<string, string>> = {},
): { readonly status: S; readonly body: B; readonly headers: Readonly<Record<string, string>> } {
  return { status, body, headers };
}
