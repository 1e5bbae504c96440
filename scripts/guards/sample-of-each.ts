import { isSoak, randomFrom, runSeed } from '@marimo/testing';

/** Some of each kind, so that every kind is asked in every run; all of them in a soak. */
export function sampleOfEach<T>(all: readonly T[], kindOf: (one: T) => string, many: number): readonly T[] {
  if (isSoak) return all;
  const next = randomFrom(runSeed);
  return [...Map.groupBy(all, kindOf).values()].flatMap((kind) => {
    const left = [...kind];
    return Array.from(
      { length: Math.min(many, left.length) },
      () => left.splice(next() % left.length, 1)[0] as T,
    );
  });
}
