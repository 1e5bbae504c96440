import type { DeclaredRefusal } from '@marimo/problems';
import type { z } from 'zod';
import type { Access, Permission } from './permission.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** For a stream whose content type does not matter, named or not. */
export const anyContentType = '*/*';

/** A body that is read as it arrives instead of being parsed whole: imports and uploads. */
export interface StreamBody {
  /** Content types, or `anyContentType`. */
  readonly stream: readonly string[];
}

type Any = z.ZodType;

/** How long the gateway may keep an answer, for the same caller with the same rights and the same query. */
export interface ResponseCache {
  readonly freshMs: number;
  /** After that it may still stand in for a service that fails. */
  readonly staleIfErrorMs: number;
}

export interface Deprecation {
  /** Days, `YYYY-MM-DD`: from when it should not be used, and when it will be gone. */
  readonly since: string;
  readonly sunset: string;
  /** The path of what takes its place. */
  readonly successor?: string;
}

export interface EndpointDefinition<
  Params extends Any = Any,
  Query extends Any = Any,
  Body extends Any | StreamBody = Any | StreamBody,
  Replies extends Readonly<Record<number, Any>> = Readonly<Record<number, Any>>,
  Who extends Access = Access,
> {
  readonly method: Method;
  /** `/api/v1/<service>/<resource>/{parameter}`, the same at the gateway and at the service. `/internal/…` never passes the gateway. */
  readonly path: string;
  /** One sentence for the documentation page. */
  readonly summary: string;
  /** A permission, `'public'`, `'signed-in'` or `forServices(…)`. There is no default: a route without one could not be declared. */
  readonly access: Who;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** What is sent back, by status. `z.null()` stands for an empty reply. */
  readonly replies: Replies;
  /** The refusals of the trade; those every endpoint can give are added by the kit. */
  readonly refusals?: readonly DeclaredRefusal[];
  /** Bytes; 1 MiB unless told. */
  readonly bodyLimitBytes?: number;
  /** The time the gateway gives a request; 15 s unless told. */
  readonly deadlineMs?: number;
  /** May be answered by a read replica, so up to a few seconds old. Only for GET. */
  readonly mayBeStale?: boolean;
  /**
   * `stored` (the default for POST): the answer is kept with `Idempotency-Key` in the business transaction.
   * `natural`: repeating is safe by itself and the answer holds secrets that must not be stored.
   */
  readonly repeat?: 'stored' | 'natural';
  /**
   * Dangerous: the person must have proved who they are within `stepUpWithinSeconds`, with their second factor if they
   * have one. An API key cannot prove anything anew and is refused.
   */
  readonly stepUp?: true;
  /** The gateway may answer repeated reads itself. Only for GET. */
  readonly cache?: ResponseCache;
  /** A successor stands beside it; clients are told with every answer (RFC 9745, RFC 8594). */
  readonly deprecated?: Deprecation;
  /** Machines ask for it every few seconds: what goes well is logged at `debug` only. */
  readonly polled?: boolean;
}

/**
 * Declares an endpoint once: from it come the validation, the permission check,
 * the OpenAPI page and the typed client.
 */
export function endpoint<
  const Params extends Any = z.ZodNever,
  const Query extends Any = z.ZodNever,
  const Body extends Any | StreamBody = z.ZodNever,
  const Replies extends Readonly<Record<number, Any>> = Readonly<Record<number, Any>>,
  const Who extends Access = Access,
>(
  definition: EndpointDefinition<Params, Query, Body, Replies, Who>,
): EndpointDefinition<Params, Query, Body, Replies, Who> {
  return definition;
}

export type AnyEndpoint = EndpointDefinition;

/** An endpoint for signed-in callers, with a particular permission or without one. */
export type SignedInEndpoint = EndpointDefinition<
  Any,
  Any,
  Any | StreamBody,
  Readonly<Record<number, Any>>,
  'signed-in' | Permission
>;

type Output<S> = S extends z.ZodNever ? undefined : S extends Any ? z.output<S> : undefined;
type Input<S> = S extends z.ZodNever ? undefined : S extends Any ? z.input<S> : undefined;

/** What a handler receives, after validation. */
export type ParamsOf<E> = E extends { readonly params?: infer P } ? Output<Exclude<P, undefined>> : undefined;
export type QueryOf<E> = E extends { readonly query?: infer Q } ? Output<Exclude<Q, undefined>> : undefined;
export type BodyOf<E> = E extends { readonly body?: infer B } ? Output<Exclude<B, undefined>> : undefined;
/** What a caller sends, before validation. */
export type ParamsInputOf<E> = E extends { readonly params?: infer P }
  ? Input<Exclude<P, undefined>>
  : undefined;
export type QueryInputOf<E> = E extends { readonly query?: infer Q }
  ? Input<Exclude<Q, undefined>>
  : undefined;
export type BodyInputOf<E> = E extends { readonly body?: infer B } ? Input<Exclude<B, undefined>> : undefined;

type Replies<E> = E extends { readonly replies: infer R } ? R : never;
/** Each possible answer as a pair of status and body. */
export type ReplyOf<E> = {
  [S in keyof Replies<E> & number]: { readonly status: S; readonly body: Output<Replies<E>[S]> };
}[keyof Replies<E> & number];
