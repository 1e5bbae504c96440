// npm test: everything, on the machine as it is. `npm test -- packages/cache` runs only the tests under that path.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { install } from './steps/install.ts';
import { root, run } from './steps/run.ts';

await install('everything');

const paths = process.argv.slice(2);
const complete = paths.length === 0;

if (complete && (await run('node', ['scripts/check.ts'])).code !== 0) process.exit(1);

const { provideInfra } = await import('./infra/provide.ts');
const infra = await provideInfra();
for (const line of infra.missing) console.log(`left out: ${line}`);
if (infra.missing.length > 0 && process.env['REQUIRE_INFRA'] === '1') {
  console.error('REQUIRE_INFRA=1 allows leaving nothing out.');
  process.exit(1);
}

const results = join(root, '.runtime', 'test-results.json');
mkdirSync(join(root, '.runtime'), { recursive: true });
const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];
const { code } = await run('node', [...jest, '--json', `--outputFile=${results}`, ...paths], {
  env: infra.env,
});

const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(
  readFileSync(results, 'utf8'),
);
console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
process.exitCode = code === 0 && numFailedTestSuites === 0 && numPassedTests > 0 ? 0 : 1;
