import type { DeclaredRefusal } from '@marimo/problems';
import type { Answer } from './answer.ts';

declare global {
  namespace jest {
    interface Matchers<R> {
      /** The request was turned down with this refusal; `facts` are those of its facts that matter here. */
      toBeRefused(refusal: DeclaredRefusal, facts?: Readonly<Record<string, unknown>>): R;
    }
  }
}

expect.extend({
  toBeRefused(received: Answer, refusal: DeclaredRefusal, facts: Readonly<Record<string, unknown>> = {}) {
    const { code } = refusal.definition;
    const { problem } = received;
    const expected = { code, ...facts };
    const pass = problem?.code === code && this.equals(problem, expect.objectContaining(facts));
    return {
      pass,
      message: () =>
        pass
          ? `Expected no refusal ${code}`
          : `Expected the refusal ${this.utils.printExpected(expected)}\nbut the answer was ${received.status}: ${this.utils.printReceived(received.json)}`,
    };
  },
});
