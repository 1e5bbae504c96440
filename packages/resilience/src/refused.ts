import { type DeclaredRefusal, type Problem, Refusal, type RefusalKind } from '@marimo/problems';

/**
 * Another service turned our request down. It keeps the code, the kind and the facts, so that thrown on it reaches our
 * own caller as what it was; catch it with `is` where it means something here.
 */
export class RefusedByService extends Refusal<object> {
  /** Who refused. */
  readonly service: string;

  constructor(service: string, kind: RefusalKind, problem: Problem, retryAfterSeconds?: number) {
    const { code, title, detail = title, ...members } = problem;
    const { type: _type, status: _status, requestId: _requestId, ...facts } = members;
    super({ code, kind, title, detail: () => detail }, facts, retryAfterSeconds);
    this.service = service;
  }

  is(declared: DeclaredRefusal): boolean {
    return this.definition.code === declared.definition.code;
  }
}
