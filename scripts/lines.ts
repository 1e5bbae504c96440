// npm run lines: how many lines of source and of tests each service and package has.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './steps/run.ts';

const isTest = (path: string) => /\.test\.ts$|\/test\//.test(path);
const paths = globSync('{services,packages,scripts,bench}/**/*.{ts,tsx,mjs,sql}', {
  cwd: root,
  exclude: ['**/node_modules/**'],
});

const sums = new Map<string, { source: number; tests: number }>();
for (const path of paths) {
  const where = /^(services|packages)\/[^/]+|^\w+/.exec(path)?.[0] ?? path;
  const sum = sums.get(where) ?? { source: 0, tests: 0 };
  sum[isTest(path) ? 'tests' : 'source'] += readFileSync(join(root, path), 'utf8').split('\n').length - 1;
  sums.set(where, sum);
}

const all = { source: 0, tests: 0 };
console.log(line('', 'source', 'tests'));
for (const [where, { source, tests }] of [...sums].sort(([one], [other]) => one.localeCompare(other))) {
  console.log(line(where, source, tests));
  all.source += source;
  all.tests += tests;
}
console.log(line('all', all.source, all.tests));

function line(where: string, source: number | string, tests: number | string): string {
  return `${where.padEnd(24)}${String(source).padStart(8)}${String(tests).padStart(8)}`;
}
