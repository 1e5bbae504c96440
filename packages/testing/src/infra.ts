import { findBinary } from './binaries.ts';

/**
 * `describe` for tests that need a program from outside. Where it is missing they are skipped and say so; with
 * `REQUIRE_INFRA=1`, as in CI, they fail instead, because a suite that left something out is not a proof.
 */
export function requireInfra(
  program: string,
  isHere: boolean = findBinary(program) !== undefined,
): (title: string, tests: () => void) => void {
  if (isHere) return describe;
  const reason = `${program} is not on this machine: npm run infra gets it`;
  if (process.env['REQUIRE_INFRA'] !== '1')
    return (title, tests) => describe.skip(`${title} (left out: ${reason})`, tests);
  return (title) =>
    describe(title, () => {
      it(`has ${program}`, () => {
        throw new Error(reason);
      });
    });
}
