import { z } from 'zod';
import { Refusal, type RefusalKind } from './refusal.ts';

const statusOfKind: Record<RefusalKind, number> = {
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  absent: 404,
  notAllowed: 405,
  conflict: 409,
  stale: 412,
  tooLarge: 413,
  unsupported: 415,
  refused: 422,
  busy: 429,
  headersTooLarge: 431,
  badUpstream: 502,
  unavailable: 503,
  timedOut: 504,
};

export const problemContentType = 'application/problem+json';

/** RFC 9457, with the members every Marimo problem has; the refusal's facts stand beside them. */
export const Problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  requestId: z.string().optional(),
});
export type Problem = z.infer<typeof Problem>;

export function statusOf(kind: RefusalKind): number {
  return statusOfKind[kind];
}

/** What an answer's status asks of its caller; undefined where no refusal has that status. */
export function kindOf(status: number): RefusalKind | undefined {
  const kinds = Object.keys(statusOfKind) as RefusalKind[];
  return kinds.find((kind) => statusOfKind[kind] === status);
}

/** The stable name of a refusal as a URI; it is an identifier, not an address. */
export function problemType(code: string): string {
  return `urn:marimo:problem:${code}`;
}

/**
 * The one mapping from anything thrown to what a caller sees.
 * A refusal tells what it knows; everything else is a bare 500 that leaks nothing.
 */
export function toProblem(thrown: unknown, requestId?: string): Problem {
  const request = requestId === undefined ? {} : { requestId };
  if (!(thrown instanceof Refusal)) {
    const title = 'Something went wrong on our side';
    return {
      type: problemType('platform.unknown-failure'),
      title,
      status: 500,
      code: 'platform.unknown-failure',
      ...request,
    };
  }
  const { code, kind, title } = thrown.definition;
  const status = statusOf(kind);
  return {
    ...thrown.facts,
    type: problemType(code),
    title,
    status,
    code,
    detail: thrown.message,
    ...request,
  };
}
