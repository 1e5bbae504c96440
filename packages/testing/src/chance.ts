/** Whether this run tries all there is (`npm run soak`) or a sample of it. */
export const isSoak = process.env['SOAK'] === '1';

/** What is drawn at random in this run is drawn from it. `TEST_SEED=4711` draws again what failed. */
export const runSeed = Number(process.env['TEST_SEED'] ?? 1 + Math.floor(Math.random() * 0x7fff_fffe));

/** How often something is tried: a soak takes longer. */
export function tries(inEachRun: number, inSoak: number): number {
  return isSoak ? inSoak : inEachRun;
}

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
