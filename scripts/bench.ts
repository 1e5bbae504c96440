// npm run bench: every benchmark. npm run bench -- gateway posting: those. Prints figures and asserts nothing: how
// fast a machine is, is no property of the code.
import { globSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Result } from '../bench/result.ts';
import { install } from './steps/install.ts';
import { root } from './steps/run.ts';

await install('everything');
const { provideInfra } = await import('./infra/provide.ts');
for (const line of (await provideInfra({ bench: true })).missing) console.log(line);

const wanted = process.argv.slice(2);
const files = globSync('bench/*.ts', { cwd: root }).sort();
const unknown = wanted.filter((name) => !files.includes(`bench/${name}.ts`));
if (unknown.length > 0) throw new Error(`there is no benchmark named ${unknown.join(', ')}`);

console.log(
  `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
);
for (const file of files) {
  if (wanted.length > 0 && !wanted.includes(basename(file, '.ts'))) continue;
  const { run } = await import(pathToFileURL(join(root, file)).href);
  if (typeof run !== 'function') continue; // a part of others
  console.log(`\n${basename(file, '.ts')} …`);
  show(await run());
}

function show(result: Result | undefined): void {
  if (result === undefined) return;
  console.log(result.title);
  console.table(result.rows);
  for (const note of result.notes ?? []) console.log(`  ${note}`);
}
