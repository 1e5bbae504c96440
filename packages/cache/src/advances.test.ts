import fc from 'fast-check';
import { Advances } from './advances.ts';

const limit = { perSecond: 60, burst: 120 };
const askedAt = 1_000;
let now: number;
let advances: Advances;

beforeEach(() => {
  now = askedAt;
  advances = new Advances(() => now);
});

function grant(bucket: string, remaining = 100): void {
  const { ahead } = advances.ask(bucket, limit, 1);
  advances.receive(bucket, ahead, remaining, askedAt);
}

describe('an advance', () => {
  it('is a tenth of a second of the limit and a twentieth of its burst at most, for all processes together', () => {
    expect(advances.ask('a', limit, 1).ahead).toBe(6);
    expect(advances.ask('b', limit, 2).ahead).toBe(3);
    expect(advances.ask('c', { perSecond: 600, burst: 120 }, 1).ahead).toBe(6);
    expect(advances.ask('d', { perSecond: 1, burst: 120 }, 1).ahead).toBe(0);
  });

  it('serves what comes next, and tells what is left of the limit', () => {
    grant('a');
    const remaining = Array.from(
      { length: 7 },
      () => advances.take([{ bucket: 'a', limit }])?.buckets[0]?.remaining,
    );
    expect(remaining).toEqual([105, 104, 103, 102, 101, 100, undefined]);
  });

  it('serves a request only when each of its buckets has one, and then takes from each', () => {
    grant('a');
    const both = [
      { bucket: 'a', limit },
      { bucket: 'b', limit, tokens: 6 },
    ];
    expect(advances.take(both)).toBeUndefined();
    grant('b');
    expect(advances.take(both)?.buckets).toEqual([
      { remaining: 105, retryAfterMs: 0 },
      { remaining: 100, retryAfterMs: 0 },
    ]);
    expect(advances.take(both)).toBeUndefined();
    expect(advances.take([{ bucket: 'a', limit, tokens: 5 }])).toBeDefined();
  });

  it('ends before as much could have flowed into the bucket, counted from when it was asked for', () => {
    grant('a');
    now = askedAt + 100;
    expect(advances.take([{ bucket: 'a', limit }])).toBeDefined();
    now = askedAt + 101;
    expect(advances.take([{ bucket: 'a', limit }])).toBeUndefined();
  });

  it('goes back, as far as it was not used, with the next question', () => {
    grant('a');
    advances.take([{ bucket: 'a', limit, tokens: 2 }]);
    now += 5_000;
    expect(advances.ask('a', limit, 1)).toEqual({ back: 4, ahead: 6 });
  });

  it('is asked for once while the answer is out, and again when none came', () => {
    expect(advances.ask('a', limit, 1).ahead).toBe(6);
    expect(advances.ask('a', limit, 1)).toEqual({ back: 0, ahead: 0 });
    now += 101;
    expect(advances.ask('a', limit, 1).ahead).toBe(6);
  });

  it('does not serve what is given back', () => {
    grant('a');
    expect(advances.take([{ bucket: 'a', limit, tokens: -1 }])).toBeUndefined();
  });
});

it('no token is spent twice, whatever happens in whatever order', () => {
  const step = fc.oneof(fc.constantFrom('ask', 'answer', 'take'), fc.nat({ max: 60 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      now = askedAt;
      advances = new Advances(() => now);
      let out = 0; // granted, and neither spent nor given back
      const open: { ahead: number; at: number }[] = [];
      for (const one of steps) {
        if (typeof one === 'number') now += one;
        else if (one === 'ask') {
          const { back, ahead } = advances.ask('a', limit, 1);
          expect(back).toBeLessThanOrEqual(out);
          out -= back;
          open.push({ ahead, at: now });
        } else if (one === 'answer') {
          const { ahead = 0, at = 0 } = open.shift() ?? {};
          if (ahead > 0) out += ahead;
          advances.receive('a', ahead, 50, at);
        } else if (advances.take([{ bucket: 'a', limit }]) !== undefined) out -= 1;
        expect(out).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});
