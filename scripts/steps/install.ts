import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.ts';

type Extent = 'production' | 'everything';

/**
 * Brings node_modules to what the lockfile says, once per lockfile: `production` is enough to run the platform,
 * tests and checks need `everything`. Shows pnpm's progress only when there is something to fetch.
 */
export async function install(extent: Extent): Promise<void> {
  const stamp = join(root, '.runtime', 'installed.json');
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex');
  const present = existsSync(stamp) ? JSON.parse(readFileSync(stamp, 'utf8')) : {};
  // What a developer has is never taken away by a start.
  const wanted = existsSync(join(root, 'node_modules', 'jest')) ? 'everything' : extent;
  if (present.lock === lock && present.extent === wanted && existsSync(join(root, 'node_modules'))) return;
  console.log(`Fetching the libraries (${wanted}); the first time takes about half a minute …`);
  const flags = wanted === 'production' ? ['--prod'] : [];
  const { code } = await run('pnpm', ['install', '--frozen-lockfile', '--reporter=append-only', ...flags], {
    env: { CI: 'true' },
  });
  if (code !== 0) throw new Error('the libraries could not be installed; what pnpm said stands above');
  mkdirSync(join(root, '.runtime'), { recursive: true });
  writeFileSync(stamp, JSON.stringify({ lock, extent: wanted }));
}
