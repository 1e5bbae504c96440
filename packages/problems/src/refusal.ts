import type { z } from 'zod';

/** What a refusal asks of the caller. Each kind has one HTTP status, kept in `problem.ts`. */
export type RefusalKind =
  | 'malformed' // mend the request; it cannot be understood
  | 'unauthenticated' // sign in
  | 'forbidden' // ask for the permission
  | 'absent' // there is no such thing, or not for you
  | 'notAllowed' // another method
  | 'conflict' // look at the present state first
  | 'stale' // read again, then change
  | 'tooLarge' // send less
  | 'unsupported' // send another content type
  | 'refused' // a rule of the trade says no
  | 'headersTooLarge' // send fewer or shorter headers
  | 'busy' // wait as long as Retry-After says
  | 'badUpstream' // the service behind gave no usable answer; try again
  | 'unavailable' // try again later
  | 'timedOut'; // the deadline passed; try again with a later one

/** One field of the request that is wrong: a JSON pointer (RFC 6901) into the body, or `?name` for a query parameter. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export interface RefusalDefinition<F> {
  /** Stable for ever: `<service>.<what-is-wrong>`, lower case with dashes. */
  readonly code: string;
  readonly kind: RefusalKind;
  /** The same for every occurrence; a short sentence without a full stop. */
  readonly title: string;
  /** What was wrong this time and what to do about it. */
  readonly detail: (facts: F) => string;
}

/** A request that was understood and turned down for a reason the caller can act on. */
export class Refusal<F extends object = object> extends Error {
  readonly definition: Pick<RefusalDefinition<F>, 'code' | 'kind' | 'title'>;
  readonly facts: F;
  /** Seconds the caller should wait, sent as `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(definition: RefusalDefinition<F>, facts: F, retryAfterSeconds?: number) {
    super(definition.detail(facts));
    this.name = new.target.name;
    this.definition = definition;
    this.facts = facts;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What can be known of a refusal without an occurrence: enough for the documentation and for clients. */
export interface DeclaredRefusal {
  readonly definition: { readonly code: string; readonly kind: RefusalKind; readonly title: string };
  /** The shape of the facts. */
  readonly facts: z.ZodType;
}

export interface RefusalClass<F extends object> extends DeclaredRefusal {
  new (facts: F, options?: { retryAfterSeconds?: number }): Refusal<F>;
}

/**
 * Declares a refusal: `class EntryOutOfBalance extends refusal(z.object({ … }), { code, kind, title, detail }) {}`.
 * The facts travel as members of the problem document, so they must be plain JSON and hold no secret.
 */
export function refusal<F extends object>(
  facts: z.ZodType<F>,
  definition: RefusalDefinition<F>,
): RefusalClass<F> {
  return class extends Refusal<F> {
    static readonly definition = definition;
    static readonly facts = facts;
    constructor(given: F, options: { retryAfterSeconds?: number } = {}) {
      super(definition, given, options.retryAfterSeconds);
    }
  };
}
