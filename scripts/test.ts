// npm test: everything, on the machine as it is. Paths or Jest's flags run a part: `npm test -- packages/cache`;
// `npm test -- --changed` runs the checks and what the change since main touches.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { changedFiles, filesToTest } from './steps/changed.ts';
import { folderInMemory } from './steps/in-memory.ts';
import { install } from './steps/install.ts';
import { root, run } from './steps/run.ts';

await install('everything');

const asked = process.argv.slice(2);
const onlyChanged = asked.includes('--changed');
const complete = asked.length === 0;

if ((complete || onlyChanged) && (await run('node', ['scripts/check.ts'])).code !== 0) process.exit(1);

const { provideInfra } = await import('./infra/provide.ts');
const infra = await provideInfra();
for (const line of infra.missing) console.log(`left out: ${line}`);
if (infra.missing.length > 0 && process.env['REQUIRE_INFRA'] === '1') {
  console.error('REQUIRE_INFRA=1 allows leaving nothing out.');
  process.exit(1);
}

const results = join(root, '.runtime', 'test-results.json');
mkdirSync(join(root, '.runtime'), { recursive: true });
rmSync(results, { force: true }); // those of an earlier run would pass for this one's when Jest is killed
const jest = [
  '--import',
  './scripts/steps/compile-once.ts',
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  // Each file of tests makes and drops much: with the usual 16 MB a tenth of the time goes into collecting it.
  '--max-semi-space-size=64',
  'node_modules/jest/bin/jest.js',
];
const memory = folderInMemory();
const part = onlyChanged ? partOfChange() : asked;
const { code } = await run('node', [...jest, '--json', `--outputFile=${results}`, ...part], {
  env: {
    ...infra.env,
    // Programs under test then start in two thirds of the time.
    NODE_COMPILE_CACHE: join(root, '.runtime', 'compile-cache'),
    ...(memory !== undefined && { TMPDIR: memory }),
  },
});
if (!existsSync(results)) process.exit(code); // no test is touched by the change, or Jest did not come to its end

const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites, testResults } = JSON.parse(
  readFileSync(results, 'utf8'),
);
const times = timesOf(testResults);
for (const line of slowest(times)) console.log(line);
keepTimes(times);
console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
const ranSome = numPassedTests > 0 || onlyChanged;
process.exitCode = code === 0 && numFailedTestSuites === 0 && ranSome ? 0 : 1;

function partOfChange(): string[] {
  const rest = asked.filter((one) => one !== '--changed');
  const files = filesToTest(changedFiles());
  if (files?.length === 0) {
    console.log('the change touches no test');
    process.exit(0);
  }
  return files === undefined ? rest : [...rest, '--passWithNoTests', '--findRelatedTests', ...files];
}

type Times = readonly (readonly [path: string, ms: number])[];

function timesOf(files: readonly { name: string; startTime: number; endTime: number }[]): Times {
  return files.map(({ name, startTime, endTime }) => [relative(root, name), endTime - startTime]);
}

/** The ten files that took longest, for who wants the run to stay within its budget. */
function slowest(times: Times): string[] {
  if (times.length < 10) return [];
  const longest = times.toSorted(([, one], [, other]) => other - one).slice(0, 10);
  return longest.map(([path, ms]) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${path}`);
}

/** The next run begins with the longest: see steps/longest-first.ts. */
function keepTimes(times: Times): void {
  const file = join(root, '.runtime/test-times.json');
  const known: object = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  writeFileSync(file, JSON.stringify({ ...known, ...Object.fromEntries(times) }));
}
