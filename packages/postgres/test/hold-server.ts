// Starts the embedded server of the directory given, says where it is, and holds it until this process ends.
import { createLog } from '@marimo/observability';
import { startEmbeddedServer } from '../src/embedded/server.ts';

const [directory = ''] = process.argv.slice(2);
const embedded = await startEmbeddedServer({
  directory,
  log: createLog({ service: 'test', level: 'silent' }),
});
process.stdout.write(`${JSON.stringify(embedded.server)}\n`);
await embedded.exited;
