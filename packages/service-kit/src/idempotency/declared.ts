import type { AnyEndpoint } from '@marimo/contracts';

/** Whether the answers of this endpoint are kept with the `Idempotency-Key`: those of a POST, unless it says otherwise. */
export function keepsAnswers({ method, repeat }: AnyEndpoint): boolean {
  return repeat === undefined ? method === 'POST' : repeat === 'stored';
}
