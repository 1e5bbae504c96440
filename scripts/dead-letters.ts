// npm run dead-letters -- --queue email_queue            shows what was given up, oldest first
// npm run dead-letters -- --queue email_queue --replay   puts all of it back; with ids behind it, only those
import { parseArgs } from 'node:util';
import { install } from './steps/install.ts';

const { values, positionals } = parseArgs({
  options: {
    queue: { type: 'string' },
    replay: { type: 'boolean', default: false },
    limit: { type: 'string', default: '50' },
  },
  allowPositionals: true,
});
await install('production');
const { consumersOf, readSettings, runUntilAsked, startPlatform } = await import('@marimo/service-kit');
const { findServices } = await import('./start/services.ts');

await runUntilAsked('Looking at dead letters', async (started) => {
  const services = await findServices();
  const queues = services.flatMap(consumersOf).map(({ queue, bindings }) => ({ name: queue, bindings }));
  const chosen = queues.filter(({ name }) => values.queue === undefined || name === values.queue);
  if (chosen.length === 0)
    throw new Error(`there is no queue ${values.queue}; use ${queues.map(({ name }) => name).join(', ')}`);
  if (values.replay && values.queue === undefined) throw new Error('say which --queue to replay');

  const { transport, close } = await startPlatform(readSettings(process.env), { mayJoin: true });
  started.defer(close);
  await transport.declare(queues);
  for (const { name } of chosen) {
    if (values.replay) {
      const count = await transport.replay(name, positionals.length > 0 ? positionals : undefined);
      console.log(`${name}: ${count} put back`);
      continue;
    }
    const letters = await transport.deadLetters(name, Number(values.limit));
    console.log(`${name}: ${letters.length === 0 ? 'none' : `${letters.length} dead letters`}`);
    for (const { id, envelope, attempts, diedAt, reason } of letters) {
      console.log(`  ${id}  ${diedAt}  ${envelope?.type ?? 'unreadable'}  ${attempts} attempts  ${reason}`);
    }
  }
  return 'done';
});
