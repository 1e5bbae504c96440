import type { ActingService, AnyEndpoint } from '@marimo/contracts';
import { authorHeader, type CallInput } from '@marimo/resilience';
import { Answer } from './answer.ts';

export interface CallOptions {
  /** A token, null for none. At an endpoint for services it is the first of them unless told otherwise. */
  readonly as?: string | null;
  /** Calls as this service for itself, in the `organisationId` of the call. */
  readonly asService?: ActingService;
  readonly headers?: Readonly<Record<string, string>>;
  /** A body that is sent as it is, for endpoints that declare a stream. */
  readonly raw?: { readonly contentType: string; readonly body: string | Uint8Array<ArrayBuffer> };
}

/** Calls over HTTP, typed by the contract; the answer is held against it. */
export type TypedCall = <E extends AnyEndpoint>(
  endpoint: E,
  input: CallInput<E>,
  options?: CallOptions,
) => Promise<Answer<E>>;

export async function callOver<E extends AnyEndpoint>(
  url: string,
  endpoint: E,
  input: CallInput<E>,
  { as, headers, raw }: CallOptions,
): Promise<Answer<E>> {
  const { body, idempotencyKey, authorId, signal } = input as CallInput<AnyEndpoint>;
  const json = body === undefined ? undefined : JSON.stringify(body);
  const content = raw ?? (json === undefined ? undefined : { contentType: 'application/json', body: json });
  const response = await fetch(url + addressOf(endpoint, input as CallInput<AnyEndpoint>), {
    method: endpoint.method,
    headers: {
      ...(as != null && { authorization: `Bearer ${as}` }),
      ...(authorId !== undefined && { [authorHeader]: authorId }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      ...(content !== undefined && { 'content-type': content.contentType }),
      ...headers,
    },
    ...(content !== undefined && { body: content.body }),
    ...(signal !== undefined && { signal }),
  });
  return new Answer(endpoint, response, await response.text());
}

function addressOf({ path }: AnyEndpoint, { params, query }: CallInput<AnyEndpoint>): string {
  const given = (params ?? {}) as Record<string, unknown>;
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(given[name])));
  const asked = Object.entries((query ?? {}) as Record<string, unknown>).filter(
    ([, value]) => value !== undefined,
  );
  const search = new URLSearchParams(
    asked.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return search === '' ? filled : `${filled}?${search}`;
}
