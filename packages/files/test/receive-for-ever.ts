import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '@marimo/contracts';
import { createLog } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import { createFiles, folderStore, noQuarantine } from '../src/index.ts';

/** Receives a file that never ends; for tests that kill the process in the middle of it. */
const [folder = ''] = process.argv.slice(2);
const log = createLog({ service: 'shop', level: 'silent' });
const files = createFiles({
  service: 'shop',
  database: { inTenant: async () => 0 } as unknown as Database, // asked for what is kept; the file is never whole
  store: folderStore(folder),
  quarantine: noQuarantine,
  organisationLimitBytes: 1_000_000_000,
  log,
});

async function* endless(): AsyncGenerator<Buffer> {
  for (let chunks = 0; ; chunks += 1) {
    yield Buffer.alloc(1024 * 1024, 'x');
    if (chunks === 3) process.stdout.write('in the middle\n');
    if (chunks >= 3) await pause(60_000);
  }
}

await files.receive({ tenantId: newId() }, endless(), { name: 'long.txt', limitBytes: 1_000_000_000 });
