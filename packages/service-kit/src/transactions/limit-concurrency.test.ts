import { limitConcurrencyByKey } from './limit-concurrency.ts';

/** A work that tells when it began and ends when it is told to. */
function works() {
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  return {
    begun,
    make: (name: string) => () => {
      begun.push(name);
      const end = Promise.withResolvers<string>();
      ends.set(name, end);
      return end.promise;
    },
    end: (name: string) => ends.get(name)?.resolve(name),
    fail: (name: string) => ends.get(name)?.reject(new Error(name)),
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('works of one key', () => {
  it('run so many at once, the others in the order they came', async () => {
    const { begun, make, end } = works();
    const limit = limitConcurrencyByKey(2);
    const all = ['a', 'b', 'c', 'd'].map((name) => limit('pine', make(name)));
    await settled();
    expect(begun).toEqual(['a', 'b']);
    end('b');
    await settled();
    expect(begun).toEqual(['a', 'b', 'c']);
    end('a');
    await settled();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    for (const name of ['c', 'd']) end(name);
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('do not wait for those of another key', async () => {
    const { begun, make } = works();
    const limit = limitConcurrencyByKey(1);
    void limit('pine', make('pine'));
    void limit('oak', make('oak'));
    await settled();
    expect(begun).toEqual(['pine', 'oak']);
  });

  it('hand their place on when they fail, and start afresh when none is left', async () => {
    const { begun, make, end, fail } = works();
    const limit = limitConcurrencyByKey(1);
    const failing = limit('pine', make('a'));
    const next = limit('pine', make('b'));
    await settled();
    fail('a');
    await expect(failing).rejects.toThrow('a');
    await settled();
    end('b');
    expect(await next).toBe('b');
    const last = limit('pine', make('c'));
    await settled();
    end('c');
    expect(await last).toBe('c');
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('are refused when their turn does not come in time, and leave the line to the others', async () => {
    const { begun, make, end } = works();
    const limit = limitConcurrencyByKey(1);
    const first = limit('pine', make('a'));
    const patience = { ms: 20, refusal: () => new Error('too busy') };
    await expect(limit('pine', make('b'), patience)).rejects.toThrow('too busy');
    const third = limit('pine', make('c'), { ...patience, ms: 60_000 });
    end('a');
    await first;
    await settled();
    end('c');
    expect(await third).toBe('c');
    expect(begun).toEqual(['a', 'c']);
  });
});
