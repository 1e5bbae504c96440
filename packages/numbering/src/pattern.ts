/** What is written around the counter in the period of a day: `INV-2026-{n}`. */
export function frameOf(pattern: string, day: string): string {
  return pattern
    .replaceAll('{year}', day.slice(0, 4))
    .replaceAll('{month}', day.slice(5, 7))
    .replace(/\{0+\}/, '{n}');
}

export function numberIn(pattern: string, frame: string, counter: bigint): string {
  const digits = (/\{(0+)\}/.exec(pattern)?.[1] ?? '').length;
  return frame.replace('{n}', String(counter).padStart(digits, '0'));
}

/**
 * Whether a pattern could write a number that has been given in one of these frames. With every run of digits as one sign,
 * equal numbers look alike; where they do and the counter stands in the same run, they have the frame and its counter in common.
 */
export function findRepeated(pattern: string, frames: readonly string[]): string | undefined {
  const wanted = shapeOf(frameOf(pattern, '2000-01-01'));
  return frames.find((frame) => {
    const { signs, place } = shapeOf(frame);
    return signs === wanted.signs && place !== wanted.place;
  });
}

function shapeOf(frame: string): { readonly signs: string; readonly place: number } {
  const runs: readonly string[] = frame.match(/\{n\}|\d+/g) ?? [];
  return { signs: frame.replace(/\{n\}|\d+/g, '{}'), place: runs.indexOf('{n}') };
}
