import { Absent, MethodNotAllowed, Unauthenticated } from '@marimo/contracts';
import { inSpan, SpanKind } from '@marimo/observability';
import type { Caller, TokenVerifier } from '@marimo/service-kit';
import type { GatewayMetrics } from './metrics.ts';
import type { Passage } from './passage.ts';
import type { ClientAddress, ReadAddress } from './policies/address.ts';
import { bearerOf } from './policies/bearer.ts';
import type { RateLimiter } from './policies/rate-limit.ts';
import { bodyShape, type ClientHeaders, type Forward, readClientHeaders, readHeld } from './proxy/index.ts';
import type { RoutePolicy, RouteTable } from './routes/index.ts';
import type { LimitName } from './settings.ts';
import type { Target } from './target.ts';

export interface ApiParts {
  readonly routes: RouteTable;
  readonly readAddress: ReadAddress;
  readonly verifier: TokenVerifier;
  readonly limiter: RateLimiter;
  readonly forward: Forward;
  readonly metrics: GatewayMetrics;
  readonly fail: (passage: Passage, thrown: unknown) => void;
}

export type Api = (passage: Passage, service: string, target: Target) => Promise<void>;

const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The way of a request to a service. The order is the promise: is it clear, who is it, how often, how much. */
export function createApi(parts: ApiParts): Api {
  return async (passage, service, target) => {
    const { method = '', headers } = passage.req;
    if (!methods.includes(method)) throw new MethodNotAllowed({ allowed: methods });
    const policy = parts.routes.match(service, method, target.path);
    if (policy === undefined) throw new Absent({ resource: 'service of this name' });
    passage.route = policy.template;
    const traceparent = headers['traceparent'];
    const options = {
      kind: SpanKind.SERVER,
      traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    };
    await inSpan('gateway', `${method} ${policy.template}`, options, async (span) => {
      await pass(parts, passage, policy, target).catch((thrown: unknown) => parts.fail(passage, thrown));
      span.setAttribute('http.response.status_code', passage.res.statusCode);
    });
  };
}

async function pass(parts: ApiParts, passage: Passage, policy: RoutePolicy, target: Target): Promise<void> {
  const { req } = passage;
  const headers = readClientHeaders(req);
  const client = parts.readAddress(req);
  const deadlineAt = Date.now() + policy.deadlineMs;
  passage.expireAfter(policy.deadlineMs);
  await admit(parts, passage, policy, headers, client);

  const shape = bodyShape(req, policy.bodyLimitBytes);
  if (shape.kind !== 'none') passage.inviteBody();
  const outgoing = headers.passed;
  outgoing.push(
    'x-forwarded-for',
    client.address,
    'x-forwarded-proto',
    client.proto,
    'x-forwarded-host',
    headers.host,
  );
  outgoing.push('x-request-id', passage.requestId, 'x-marimo-deadline', String(deadlineAt));
  if (shape.kind === 'streamed' && shape.length !== undefined)
    outgoing.push('content-length', String(shape.length));
  await parts.forward(passage, {
    service: policy.service,
    method: req.method ?? '',
    path: target.path + target.query,
    headers: outgoing,
    held: shape.kind === 'held' ? await readHeld(passage) : undefined,
    streamLimitBytes: shape.kind === 'streamed' ? policy.bodyLimitBytes : undefined,
    keyed: headers.keyed,
  });
}

/** Who it is and how often they come. A token nobody believes counts against the address it came from. */
async function admit(
  { verifier, limiter, metrics }: ApiParts,
  passage: Passage,
  policy: RoutePolicy,
  headers: ClientHeaders,
  client: ClientAddress,
): Promise<void> {
  const { address } = client;
  const take = (limit: LimitName, caller?: Caller) =>
    limiter.take(limit, { address, caller }, passage.ownHeaders);
  if (!policy.bearer) return take(policy.limit);
  let caller: Caller;
  try {
    caller = await verifier.verify(bearerOf(headers.authorization));
  } catch (thrown) {
    if (!(thrown instanceof Unauthenticated)) throw thrown;
    metrics.refusedTokens.inc();
    await take('caller');
    throw thrown;
  }
  passage.caller = caller;
  await take(policy.limit, caller);
}
