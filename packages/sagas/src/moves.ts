import type { SagaEvents, SagaProblem } from '@marimo/contracts';
import type { SagaDefinition, SagaStep } from './define.ts';
import { type Failure, pauseMs } from './failure.ts';
import { hasNoReturn, type Next, nextOf } from './next.ts';
import type { SagaRecord, StepRecord } from './saga.ts';
import { viewOf } from './view.ts';

/** Where a saga stands after something happened; all of it is written in one commit. */
export interface Move {
  readonly saga: SagaRecord;
  readonly changed: readonly (Pick<StepRecord, 'name'> & Partial<StepRecord>)[];
  /** `'held'` goes on at once; null has nothing left to do. */
  readonly dueInMs: number | 'held' | null;
  readonly doubtfulForMs: number | null;
  readonly event: keyof SagaEvents | undefined;
}

export interface Moving {
  /** The service whose saga it is. */
  readonly owner: string;
  readonly definition: SagaDefinition | undefined;
  /** The longest a command may be on its way. */
  readonly callWithinMs: number;
}

/** After this long without progress a saga says whom it needs. */
const saysWithinMs = 60_000;

type Step = Extract<Next, { kind: 'do' | 'undo' }>;

/** The step has been done, or undone. */
export function afterSuccess(
  saga: SagaRecord,
  { kind, record }: Step,
  result: unknown,
  moving: Moving,
): Move {
  const change = kind === 'do' ? { state: 'done' as const, result } : { state: 'undone' as const };
  const untroubled = { ...saga, failures: 0, failingForMs: 0, problem: null, needs: null };
  return onward(withStep(untroubled, record.name, change), [{ name: record.name, ...change }], moving);
}

export function afterFailure(saga: SagaRecord, next: Step, failure: Failure, moving: Moving): Move {
  const { name } = next.record;
  const problem = { step: name, code: failure.code, detail: failure.detail };
  if (failure.kind === 'away') return waiting(saga, problem, failure, moving.callWithinMs);
  if (failure.kind === 'broken' || next.kind === 'undo') return stuck(saga, problem, failure.needs);
  // A refusal says that this attempt had no effect; one before it, whose answer nobody heard, may still come to have.
  if (saga.isDoubtful && next.step.kind === 'command') {
    const retryAfterMs = moving.callWithinMs;
    return { ...waiting(saga, problem, { ...failure, retryAfterMs }, retryAfterMs), doubtfulForMs: null };
  }
  if (saga.direction === 'forward' && hasNoReturn(saga.steps, moving.definition))
    return stuck(saga, problem, failure.needs);
  const change = { state: 'refused' as const };
  const turned = {
    ...saga,
    state: 'undoing' as const,
    direction: 'back' as const,
    failures: 0,
    failingForMs: 0,
    problem: null,
    needs: null,
    undoneBecause: saga.direction === 'forward' ? problem : saga.undoneBecause,
  };
  return onward(withStep(turned, name, change), [{ name, ...change }], moving);
}

/** Looks what comes next: an end, or a step whose request is written down with this move. */
export function onward(saga: SagaRecord, changed: Move['changed'], moving: Moving): Move {
  const next = nextOf(saga, moving.definition);
  const going = { changed, doubtfulForMs: null };
  if (next.kind === 'end') {
    const event = next.state === 'given-up' ? undefined : next.state;
    return { ...going, saga: { ...saga, state: next.state }, dueInMs: null, event };
  }
  const operator = { who: 'operator', name: moving.owner } as const;
  if (next.kind === 'unknown' || moving.definition === undefined) {
    const detail = `This version of ${moving.owner} knows no step of ${saga.kind} with this name.`;
    const problem = { step: next.record.name, code: 'platform.saga-step-unknown', detail };
    return { ...stuck(saga, problem, operator), changed };
  }
  const field = next.kind === 'do' ? 'request' : 'undoRequest';
  const toSend = next.step.kind === 'command' ? commandOf(next.step, next.kind) : undefined;
  if (toSend === undefined || next.record[field] !== null)
    return { ...going, saga, dueInMs: 'held', event: undefined };
  try {
    const request = toSend.request(viewOf(saga, moving.definition));
    const change = { name: next.record.name, [field]: request };
    const prepared = withStep(saga, next.record.name, { [field]: request });
    return { ...going, saga: prepared, changed: [...changed, change], dueInMs: 'held', event: undefined };
  } catch (error) {
    const detail = `What to send cannot be worked out: ${(error as Error).message}`;
    const problem = { step: next.record.name, code: 'platform.saga-step-broken', detail };
    return { ...stuck(saga, problem, operator), changed };
  }
}

export function commandOf(step: Extract<SagaStep, { kind: 'command' }>, kind: 'do' | 'undo') {
  if (kind === 'do') return step;
  return typeof step.undo === 'object' ? step.undo : undefined;
}

export function stuck(saga: SagaRecord, problem: SagaProblem, needs: Failure['needs']): Move {
  const failures = saga.failures + 1;
  const told = { ...saga, state: 'stuck' as const, failures, problem, needs };
  return { saga: told, changed: [], dueInMs: null, doubtfulForMs: null, event: 'stuck' };
}

function waiting(saga: SagaRecord, problem: SagaProblem, failure: Failure, callWithinMs: number): Move {
  const failures = saga.failures + 1;
  const dueInMs = pauseMs(failures, failure.retryAfterMs);
  const says = saga.failingForMs + dueInMs >= saysWithinMs;
  return {
    saga: { ...saga, failures, problem, needs: says ? failure.needs : null },
    changed: [],
    dueInMs,
    doubtfulForMs: callWithinMs,
    event: says && saga.needs === null ? 'waiting' : undefined,
  };
}

function withStep(saga: SagaRecord, name: string, change: Partial<StepRecord>): SagaRecord {
  return { ...saga, steps: saga.steps.map((step) => (step.name === name ? { ...step, ...change } : step)) };
}
