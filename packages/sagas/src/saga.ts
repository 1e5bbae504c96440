import type { SagaNeed, SagaProblem, SagaState, SagaStepState } from '@marimo/contracts';

/** A saga that this process has taken up, under the number that its writes must show. */
export interface Held {
  readonly tenantId: string;
  readonly sagaId: string;
  readonly holding: number;
}

export interface StepRecord {
  readonly name: string;
  readonly state: SagaStepState;
  /** What was or will be sent; null as long as nothing can have been. */
  readonly request: object | null;
  readonly undoRequest: object | null;
  readonly result: unknown;
}

/** A saga as its rows tell it; all spans of time come from the database's clock. */
export interface SagaRecord extends Held {
  readonly kind: string;
  readonly state: SagaState;
  readonly direction: 'forward' | 'back';
  readonly input: unknown;
  readonly startedBy: string | null;
  readonly requestId: string | null;
  readonly traceparent: string | null;
  readonly settled: number;
  readonly failures: number;
  readonly failingForMs: number;
  /** An earlier attempt at the present step may still arrive where it was sent. */
  readonly isDoubtful: boolean;
  readonly problem: SagaProblem | null;
  readonly undoneBecause: SagaProblem | null;
  readonly needs: SagaNeed | null;
  /** A person has turned it back. */
  readonly isGivenUp: boolean;
  /** In their order. */
  readonly steps: readonly StepRecord[];
}
