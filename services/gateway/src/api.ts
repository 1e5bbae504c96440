import { Absent, Forbidden } from '@marimo/contracts';
import { inSpan, SpanKind } from '@marimo/observability';
import type { Caller } from '@marimo/service-kit';
import { methods } from './methods.ts';
import type { GatewayMetrics } from './metrics.ts';
import { type ClientAddress, networkOf, type ReadAddress } from './policies/address.ts';
import { type Identify, isInvalidIdentity } from './policies/api-key.ts';
import type { Bulkhead } from './policies/bulkhead.ts';
import { isPreflight, type Origins } from './policies/origins.ts';
import type { Shedding } from './policies/overload.ts';
import type { RateLimiter } from './policies/rate-limit.ts';
import type { ProxiedRequest } from './proxied-request.ts';
import { bodyShape, type ClientHeaders, type Forward, readClientHeaders, readHeld } from './proxy/index.ts';
import type { ResponseCache } from './response-cache/index.ts';
import type { RoutePolicy, RouteTable } from './routes/index.ts';
import type { LimitName } from './settings.ts';
import type { Target } from './target.ts';

export interface ApiParts {
  readonly routes: RouteTable;
  readonly readAddress: ReadAddress;
  readonly identify: Identify;
  readonly limiter: RateLimiter;
  readonly origins: Origins;
  readonly shedding: Shedding;
  readonly bulkhead: Bulkhead;
  readonly responses: ResponseCache;
  readonly forward: Forward;
  readonly metrics: GatewayMetrics;
  readonly fail: (proxied: ProxiedRequest, thrown: unknown) => void;
}

export type Api = (proxied: ProxiedRequest, service: string, target: Target) => Promise<void>;

/**
 * Sends a request to a service. The order of the checks is guaranteed: clarity, capacity, identity, rate, size, kept
 * answer.
 */
export function createApi(parts: ApiParts): Api {
  return async (proxied, service, target) => {
    const { method = '', headers } = proxied.req;
    const policy = parts.routes.match(service, method, target.path);
    if (policy === undefined) throw new Absent({ resource: 'service of this name' });
    proxied.route = policy.template;
    // The service says so in its answer; it does not see what is answered from the cache.
    if (policy.deprecated !== undefined) parts.metrics.deprecated.inc({ method, route: policy.template });
    const traceparent = headers['traceparent'];
    const options = {
      kind: SpanKind.SERVER,
      traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    };
    await inSpan('gateway', `${method} ${policy.template}`, options, async (span) => {
      await pass(parts, proxied, policy, target).catch((thrown: unknown) => parts.fail(proxied, thrown));
      span.setAttribute('http.response.status_code', proxied.res.statusCode);
    });
  };
}

async function pass(
  parts: ApiParts,
  proxied: ProxiedRequest,
  policy: RoutePolicy,
  target: Target,
): Promise<void> {
  const { req } = proxied;
  const headers = readClientHeaders(req);
  const client = parts.readAddress(req);
  if (isPreflight(req))
    return answerPreflight(parts, proxied, policy.service, target.path, headers.host, client);
  for (const text of parts.origins.headersFor(req, headers.host)) proxied.ownHeaders.push(text);
  proxied.expireAfter(policy.deadlineMs);
  parts.shedding.requireRoom(policy.trafficClass);
  await admit(parts, proxied, policy, headers, client);
  if (policy.closed) throw new Forbidden({ permission: null });

  const shape = bodyShape(req, policy.bodyLimitBytes);
  if (shape.kind !== 'none') proxied.inviteBody();
  const held = shape.kind === 'held' ? await readHeld(proxied) : undefined;
  const ask = async (through: ProxiedRequest, passed: string[]): Promise<void> => {
    pushOurs(passed, through, headers, client, policy.deadlineMs);
    if (shape.kind === 'streamed' && shape.length !== undefined)
      passed.push('content-length', String(shape.length));
    parts.bulkhead.enter(policy.service);
    try {
      await parts.forward(through, {
        service: policy.service,
        servedBy: policy.servedBy,
        client: proxied.caller?.sessionId ?? networkOf(client.address),
        method: req.method ?? '',
        path: target.path + target.query,
        headers: passed,
        held,
        streamLimitBytes: shape.kind === 'streamed' ? policy.bodyLimitBytes : undefined,
        keyed: headers.keyed,
      });
    } finally {
      parts.bulkhead.leave(policy.service);
    }
  };
  const { service, template, deadlineMs, cache } = policy;
  // A step-up is checked by the service, each time.
  if (cache !== undefined && !policy.stepUp && !policy.secret) {
    const { path, query } = target;
    const route = { service, template, deadlineMs, cache };
    await parts.responses.answer(proxied, { policy: route, path, query, passed: headers.passed, ask });
  } else await ask(proxied, headers.passed);
}

/** A browser asks what a page of another origin may send; the services never see that. */
async function answerPreflight(
  { routes, limiter, origins }: ApiParts,
  proxied: ProxiedRequest,
  service: string,
  path: string,
  host: string,
  { address }: ClientAddress,
): Promise<void> {
  await limiter.take('caller', { address, caller: undefined }, proxied.ownHeaders);
  const answered = methods.filter((method) => routes.match(service, method, path)?.template !== 'unmatched');
  proxied.ownHeaders.push(...origins.preflight(proxied.req, host, answered));
  proxied.res.writeHead(204, [...proxied.ownHeaders, 'cache-control', 'no-store']);
  proxied.res.end();
}

function pushOurs(
  passed: string[],
  { requestId }: ProxiedRequest,
  { host }: ClientHeaders,
  { address, proto }: ClientAddress,
  deadlineMs: number,
): void {
  passed.push('x-forwarded-for', address, 'x-forwarded-proto', proto, 'x-forwarded-host', host);
  passed.push('x-request-id', requestId, 'x-marimo-deadline', String(Date.now() + deadlineMs));
}

/** Identifies the caller and takes from the limits. An invalid token counts against the address it came from. */
async function admit(
  { identify, limiter, metrics }: ApiParts,
  proxied: ProxiedRequest,
  policy: RoutePolicy,
  headers: ClientHeaders,
  client: ClientAddress,
): Promise<void> {
  const { address } = client;
  const take = (limit: LimitName, caller?: Caller) =>
    limiter.take(limit, { address, caller }, proxied.ownHeaders);
  if (!policy.bearer) return take(policy.limit);
  let caller: Caller;
  try {
    caller = await identify(headers, address);
  } catch (thrown) {
    if (!isInvalidIdentity(thrown)) throw thrown;
    metrics.refusedTokens.inc();
    await take('caller');
    throw thrown;
  }
  proxied.caller = caller;
  await take(policy.limit, caller);
}
