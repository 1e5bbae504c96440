// npm start: everything in this process. npm start -- --processes: one process per service.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { install } from './steps/install.ts';
import { root } from './steps/run.ts';

const { values } = parseArgs({ options: { processes: { type: 'boolean', default: false } } });

await install('production');
enableCompileCache(join(root, '.runtime', 'compile-cache'));

if (values.processes) await (await import('./start/processes.ts')).startProcesses();
else await (await import('./start/one-process.ts')).startOneProcess();
