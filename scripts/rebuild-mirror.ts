// npm run rebuild-mirror -- accounting main.partner                      in all organisations, while everything runs
// npm run rebuild-mirror -- accounting main.partner --organisation <id>  in one
import { parseArgs } from 'node:util';
import { install } from './steps/install.ts';

const { values, positionals } = parseArgs({
  options: { organisation: { type: 'string' } },
  allowPositionals: true,
});
await install('production');
const { readSettings, runUntilAsked, startPlatform } = await import('@marimo/service-kit');
const { rebuildMirror } = await import('@marimo/mirrors');
const { findServices } = await import('./start/services.ts');

await runUntilAsked('Rebuilding the mirror', async (started) => {
  const [name, record] = positionals;
  const services = await findServices();
  const known = services.flatMap((service) =>
    (service.mirrors ?? []).map((mirror) => ({ service, record: mirror.record.fullName })),
  );
  const chosen = known.find((each) => each.service.name === name && each.record === record);
  if (chosen === undefined) {
    const offer = known.map((each) => `${each.service.name} ${each.record}`).join(', ');
    throw new Error(`there is no such mirror; the mirrors are: ${offer || 'none'}`);
  }
  const platform = await startPlatform(readSettings(process.env), { mayJoin: true });
  started.defer(() => platform.close());
  const relay = platform.openDatabase(platform.observe(chosen.service.name), 'relay');
  started.defer(() => relay.close());
  const count = await rebuildMirror(relay, chosen.record, values.organisation);
  console.log(`${name} compares its mirror of ${record} from the beginning, in ${count} organisations.`);
  return 'done';
});
