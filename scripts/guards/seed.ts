/** What is asked in this run. `npm run soak` asks everything; `GUARD_SEED=4711` asks again what failed. */
const asksEverything = process.env['SOAK'] === '1';
export const seed = Number(process.env['GUARD_SEED'] ?? 1 + Math.floor(Math.random() * 0x7fff_fffe));

/** Numbers that only look random (xorshift32): the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Some of each kind, so that every kind is asked in every run; all of them in a soak. */
export function sampleOfEach<T>(all: readonly T[], kindOf: (one: T) => string, many: number): readonly T[] {
  if (asksEverything) return all;
  const next = randomFrom(seed);
  return [...Map.groupBy(all, kindOf).values()].flatMap((kind) => {
    const left = [...kind];
    return Array.from(
      { length: Math.min(many, left.length) },
      () => left.splice(next() % left.length, 1)[0] as T,
    );
  });
}
