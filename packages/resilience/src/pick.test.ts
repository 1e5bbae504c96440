import { pickInstance } from './pick.ts';

const all = ['a', 'b', 'c'] as const;
const idle = { pending: () => 0, skip: () => false };

describe('the instance to call', () => {
  it('changes in turn while all have equally little to do', () => {
    const turns = [0, 1, 2, 3, 4].map((turn) => pickInstance(all, { ...idle, turn }));
    expect(turns).toEqual(['a', 'b', 'c', 'a', 'b']);
  });

  it('is the one with the fewest running calls, whoever’s turn it is', () => {
    const pending = (one: string) => ({ a: 5, b: 1, c: 3 })[one] ?? 0;
    for (const turn of [0, 1, 2]) expect(pickInstance(all, { ...idle, pending, turn })).toBe('b');
  });

  it('is never one that is to be skipped, though it has the least to do', () => {
    const pending = (one: string) => (one === 'a' ? 0 : 9);
    for (const turn of [0, 1, 2])
      expect(pickInstance(all, { pending, skip: (one) => one === 'a', turn })).not.toBe('a');
  });

  it('is none when there is none, or all are skipped', () => {
    expect(pickInstance([], { ...idle, turn: 7 })).toBeUndefined();
    expect(pickInstance(all, { ...idle, skip: () => true, turn: 7 })).toBeUndefined();
  });
});
