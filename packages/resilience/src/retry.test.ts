import * as fc from 'fast-check';
import { type AttemptFailure, backoffMs, mayRetry, RetryBudget } from './retry.ts';

describe('what may be sent again', () => {
  // The table of docs/resilience.md.
  it.each<[AttemptFailure, string, string, string]>([
    //                 GET, PUT, …  POST   keyed POST
    ['not-sent', 'yes', 'yes', 'yes'],
    ['no-answer', 'yes', 'no', 'yes'],
    ['broken-answer', 'yes', 'no', 'yes'],
    ['turned-away', 'yes', 'no', 'yes'],
    ['out-of-time', 'no', 'no', 'no'],
    ['given-up', 'no', 'no', 'no'],
  ])('after %s: idempotent %s, POST %s, keyed POST %s', (failure, idempotent, post, keyedPost) => {
    const may = (method: string, keyed: boolean) => (mayRetry({ method, keyed, failure }) ? 'yes' : 'no');
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
      for (const keyed of [false, true]) expect([method, may(method, keyed)]).toEqual([method, idempotent]);
    for (const method of ['POST', 'PATCH', 'get', 'MADE-UP']) {
      expect([method, may(method, false)]).toEqual([method, post]);
      expect([method, may(method, true)]).toEqual([method, keyedPost]);
    }
  });
});

describe('the wait before a retry', () => {
  it('is anything up to 100 ms, doubling to 10 s', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 9, 50].map((retry) => backoffMs(retry, () => 1));
    expect(longest).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
    expect(backoffMs(3, () => 0)).toBe(0);
  });

  it('spreads callers that failed together over the whole of it', () => {
    const waits = Array.from({ length: 10_000 }, () => backoffMs(4));
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = waits.filter((wait) => wait >= tenth * 80 && wait < (tenth + 1) * 80).length;
      expect(share).toBeGreaterThan(700); // 1,000 expected, standard deviation 30
    }
  });
});

describe('the retry budget', () => {
  it('never gives more than a tenth of the calls and its reserve, in whatever order they fail', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 500 }), (fails) => {
        const budget = new RetryBudget({ share: 0.1, reserve: 3 });
        let retries = 0;
        for (const [index, failed] of fails.entries()) {
          budget.earn();
          for (let retry = 0; failed && retry < 2; retry++) if (budget.spend()) retries += 1;
          expect(retries).toBeLessThanOrEqual(0.1 * (index + 1) + 3);
        }
      }),
    );
  });

  it('gives the whole tenth when everything fails for long', () => {
    const budget = new RetryBudget({ share: 0.1, reserve: 10 });
    let retries = 0;
    for (let call = 0; call < 10_000; call++) {
      budget.earn();
      if (budget.spend()) retries += 1;
    }
    expect(retries).toBe(1_009); // the first call found the reserve full
  });

  it('does not save up more than its reserve while all is well', () => {
    const budget = new RetryBudget({ share: 0.1, reserve: 5 });
    for (let call = 0; call < 10_000; call++) budget.earn();
    expect(Array.from({ length: 8 }, () => budget.spend())).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
