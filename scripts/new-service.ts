// npm run new-service -- shop --resource store: a service that adds, lists and shows stores, with its contracts and
// its tests. Only for the services the platform has a port for; nothing is overwritten.
import { parseArgs } from 'node:util';
import { install } from './steps/install.ts';
import { root, run } from './steps/run.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { resource: { type: 'string', default: 'note' } },
});
const [service] = positionals;
if (service === undefined || positionals.length > 1) {
  console.error('usage: npm run new-service -- <service> [--resource <singular>]');
  process.exit(2);
}

await install('everything');
const { newService } = await import('./new-service/new-service.ts');
try {
  const { files, next } = await newService(root, service, values.resource);
  // A new package changes the lockfile, and lines break by the length of the names.
  await run('pnpm', ['install', '--reporter=silent']);
  await run('pnpm', [
    'exec',
    'biome',
    'check',
    '--write',
    `services/${service}`,
    `packages/contracts/src/${service}`,
  ]);
  for (const file of files) console.log(`made ${file}`);
  for (const step of next) console.log(`next: ${step}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
