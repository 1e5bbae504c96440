// npm start: everything in this process. npm start -- --processes: one process per service.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { install } from './steps/install.ts';
import { root } from './steps/run.ts';

const { processes } = readArguments();

await install('production');
enableCompileCache(join(root, '.runtime', 'compile-cache'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => console.log('\nStopping: what runs is finished first …'));
}

if (processes) await (await import('./start/processes.ts')).startProcesses();
else await (await import('./start/one-process.ts')).startOneProcess();

function readArguments() {
  try {
    return parseArgs({ options: { processes: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    console.error(`${(error as Error).message}. It is: npm start, or npm start -- --processes`);
    return process.exit(64); // sysexits.h: the command was used incorrectly
  }
}
