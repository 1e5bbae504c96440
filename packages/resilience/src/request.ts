import { type AnyEndpoint, type ServiceName, servicePorts } from '@marimo/contracts';

/** What is written to the connection, apart from the headers of the moment. */
export interface WireRequest {
  readonly method: AnyEndpoint['method'];
  readonly path: string;
  readonly body: string | null;
}

interface RequestParts {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
}

/** Who answers an endpoint: the paths say it, `/api/v1/<service>/…` and `/internal/<service>/…`. */
export function serviceOf({ path }: Pick<AnyEndpoint, 'path'>): ServiceName {
  const [, name = ''] = /^\/(?:api\/v\d+|internal)\/([^/]+)\//.exec(path) ?? [];
  if (!Object.hasOwn(servicePorts, name)) throw new Error(`The path ${path} names no service`);
  return name as ServiceName;
}

export function buildRequest(
  endpoint: Pick<AnyEndpoint, 'method' | 'path'>,
  given: RequestParts,
): WireRequest {
  const params = (given.params ?? {}) as Readonly<Record<string, unknown>>;
  const path = endpoint.path.replace(/\{(\w+)\}/g, (_, name: string) => segment(name, params[name]));
  const query = queryText(given.query);
  return {
    method: endpoint.method,
    path: query === '' ? path : `${path}?${query}`,
    body: given.body === undefined ? null : JSON.stringify(given.body),
  };
}

/** A parameter fills one segment and nothing but that: `..` would lead to another endpoint. */
function segment(name: string, value: unknown): string {
  const text = textOf(value);
  if (/^\.{0,2}$/.test(text)) throw new Error(`The path parameter ${name} cannot be "${text}"`);
  return encodeURIComponent(text);
}

function queryText(query: unknown): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries((query ?? {}) as Readonly<Record<string, unknown>>)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null) search.append(name, textOf(each));
    }
  }
  return search.toString();
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
