import type { SagaDefinition, SagaStep } from './define.ts';
import type { SagaRecord, StepRecord } from './saga.ts';

/** What a saga does next; plain calculation, the same for whoever takes it up. */
export type Next =
  | { readonly kind: 'do'; readonly record: StepRecord; readonly step: SagaStep }
  | { readonly kind: 'undo'; readonly record: StepRecord; readonly step: SagaStep }
  | { readonly kind: 'end'; readonly state: 'done' | 'undone' | 'given-up' }
  /** The definition has no step of that name any more, or no undo of it. */
  | { readonly kind: 'unknown'; readonly record: StepRecord };

export function nextOf(
  { direction, steps }: Pick<SagaRecord, 'direction' | 'steps'>,
  definition: SagaDefinition | undefined,
): Next {
  const find = (record: StepRecord) => definition?.steps.find(({ name }) => name === record.name);
  if (direction === 'forward') {
    const record = steps.find(({ state }) => state === 'waiting');
    return record === undefined ? { kind: 'end', state: 'done' } : doing(record, find(record));
  }
  // Whether it was done is not known, and only what is known can be undone: so it is asked for once more.
  const unsettled = steps.find(({ state, request }) => state === 'waiting' && request !== null);
  if (hasNoReturn(steps, definition)) return { kind: 'end', state: 'given-up' };
  if (unsettled !== undefined) return doing(unsettled, find(unsettled));
  for (const record of steps.filter(({ state }) => state === 'done').reverse()) {
    const step = find(record);
    if (step?.undo === 'nothing') continue;
    // Another version of the definition may have taken its undo away.
    if (typeof step?.undo !== 'object' && typeof step?.undo !== 'function')
      return { kind: 'unknown', record };
    return { kind: 'undo', record, step };
  }
  const isWhole = steps.every(({ state }) => state !== 'left');
  return { kind: 'end', state: isWhole ? 'undone' : 'given-up' };
}

/** Whether the point of no return is behind it. */
export function hasNoReturn(steps: readonly StepRecord[], definition: SagaDefinition | undefined): boolean {
  const point = definition?.steps.find(({ undo }) => undo === 'point-of-no-return');
  return point !== undefined && steps.some(({ name, state }) => name === point.name && state === 'done');
}

function doing(record: StepRecord, step: SagaStep | undefined): Next {
  return step === undefined ? { kind: 'unknown', record } : { kind: 'do', record, step };
}
