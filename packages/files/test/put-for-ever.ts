import { setTimeout as pause } from 'node:timers/promises';
import { folderStore, s3Store } from '../src/index.ts';

/** Begins to store an object that never ends; for tests that kill the process in the middle of it. */
const [kind, options = '{}', key = ''] = process.argv.slice(2);
const store = kind === 's3' ? s3Store(JSON.parse(options)) : folderStore(JSON.parse(options));

async function* endless(): AsyncGenerator<Buffer> {
  for (let chunks = 0; ; chunks += 1) {
    yield Buffer.alloc(1024 * 1024, 'x');
    if (chunks === 12) process.stdout.write('in the middle\n');
    if (chunks >= 12) await pause(60_000);
  }
}

await store.put(key, endless());
