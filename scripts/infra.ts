// npm run infra: gets what tests need beside Node, and says what it found or did.
//   --bench     also what only benchmarks need
//   --required  fail when something is missing
//   --json      print paths and settings instead of lines
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { install } from './steps/install.ts';

const { values } = parseArgs({
  options: {
    bench: { type: 'boolean', default: false },
    required: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

await install('everything');
const { provideInfra } = await import('./infra/provide.ts');
const { programsForBenchmarks } = await import('./infra/programs.ts');

const infra = await provideInfra({ bench: values.bench });
if (values.json) {
  console.log(JSON.stringify(infra, null, 2));
} else {
  for (const { name, says } of infra.programs) console.log(`${name}: ${says}${await runningNote(name)}`);
}
if (values.required && infra.missing.length > 0) process.exitCode = 1;

async function runningNote(name: string): Promise<string> {
  const port = programsForBenchmarks.find((program) => program.name === name)?.port;
  if (port === undefined || !(await listens(port))) return '';
  return ` (one runs on port ${port}; tests leave it alone and start their own)`;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 300 });
    const answer = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => answer(true));
    socket.once('timeout', () => answer(false));
    socket.once('error', () => answer(false));
  });
}
