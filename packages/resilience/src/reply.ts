import { type AnyEndpoint, BadUpstream, parseKnownFields, Unavailable } from '@marimo/contracts';
import { kindOf, Problem } from '@marimo/problems';
import type { Answer } from './exchange.ts';
import { RefusedByService } from './refused.ts';

/** What an answer turned out to be. */
export type Reading =
  | { readonly kind: 'reply'; readonly reply: { readonly status: number; readonly body: unknown } }
  | { readonly kind: 'refusal'; readonly refusal: RefusedByService; readonly health: Health }
  | { readonly kind: 'unusable'; readonly why: string; readonly health: Health };

/** What an answer says of the instance: `turned-away` may go better at another one. */
export type Health = 'well' | 'failing' | 'turned-away';

/** Holds the answer against the contract. */
export function readAnswer(endpoint: AnyEndpoint, service: string, answer: Answer): Reading {
  const { status } = answer;
  const json = jsonOf(answer);
  const schema = endpoint.replies[status];
  if (schema !== undefined) {
    const parsed = parseKnownFields(schema, json);
    if (parsed.success) return { kind: 'reply', reply: { status, body: parsed.data } };
    const where = parsed.error.issues.map(({ path, message }) => `/${path.join('/')}: ${message}`);
    return { kind: 'unusable', why: `${status} breaks the contract at ${where.join('; ')}`, health: 'well' };
  }
  const problem = Problem.safeParse(json);
  const kind = kindOf(status);
  if (!problem.success || kind === undefined) {
    return { kind: 'unusable', why: `unexpected ${status}`, health: healthOf(status) };
  }
  const refusal = new RefusedByService(service, kind, problem.data, retryAfterOf(answer));
  return { kind: 'refusal', refusal, health: isAboutAnother(refusal) ? 'well' : healthOf(status) };
}

function healthOf(status: number): Health {
  if (status < 500) return 'well'; // a refusal is not a failure
  return status === 502 || status === 503 ? 'turned-away' : 'failing';
}

/** The service is well, but a further one it needs is not; it has tried again itself, so we do not. */
function isAboutAnother(refusal: RefusedByService): boolean {
  if (!refusal.is(Unavailable) && !refusal.is(BadUpstream)) return false;
  const { service } = refusal.facts as { service?: unknown };
  return typeof service === 'string' && service !== refusal.service;
}

function jsonOf({ body }: Answer): unknown {
  if (body.length === 0) return null;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function retryAfterOf({ headers }: Answer): number | undefined {
  const seconds = headers['retry-after'];
  return typeof seconds === 'string' && /^\d{1,5}$/.test(seconds) ? Number(seconds) : undefined;
}
