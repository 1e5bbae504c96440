import type { AnyEndpoint, ReplyOf } from '@marimo/contracts';
import { Problem } from '@marimo/problems';
import type { z } from 'zod';

/** What came back, held against the contract: a status or a field it does not list is a failure of the test. */
export class Answer<E extends AnyEndpoint = AnyEndpoint> {
  readonly status: number;
  readonly headers: Headers;
  /** As it went over the wire. */
  readonly json: unknown;
  readonly #name: string;
  readonly #reply: z.ZodType | undefined;

  constructor(endpoint: E, response: Response, text: string) {
    this.status = response.status;
    this.headers = response.headers;
    this.json = text === '' ? null : JSON.parse(text);
    this.#name = `${endpoint.method} ${endpoint.path}`;
    this.#reply = endpoint.replies[response.status];
    if (this.#reply === undefined && this.problem === undefined) {
      throw new Error(`${this.#name} answered ${this.status}, which its contract does not list: ${text}`);
    }
    if (this.#reply !== undefined) this.#parse(this.#reply);
  }

  /** The reply, parsed by the contract; throws when the request was refused. */
  get body(): ReplyOf<E>['body'] {
    if (this.#reply === undefined) throw new Error(`${this.#name} was refused: ${JSON.stringify(this.json)}`);
    return this.#parse(this.#reply) as ReplyOf<E>['body'];
  }

  /** The refusal, or undefined when there was none. */
  get problem(): Problem | undefined {
    const isProblem = this.headers.get('content-type')?.startsWith('application/problem+json');
    return isProblem ? Problem.parse(this.json) : undefined;
  }

  #parse(schema: z.ZodType): unknown {
    const result = schema.safeParse(this.json);
    if (result.success) return result.data;
    throw new Error(`${this.#name} answered what its contract does not allow: ${result.error.message}`);
  }
}
