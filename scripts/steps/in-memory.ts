import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

const memory = '/dev/shm';
const prefix = 'marimo-run-';
/** What the servers of a run write, several times over. */
const neededBytes = 4 * 2 ** 30;

/**
 * A folder in memory for what tests write and drop: a database there costs a quarter of one on a disk, and each file of tests
 * has one. Undefined where the machine has too little; then it is the usual folder for temporary files.
 */
export function folderInMemory(): string | undefined {
  if (!existsSync(memory)) return undefined;
  removeLeftOvers();
  const { bavail, bsize } = statfsSync(memory);
  if (bavail * bsize < neededBytes) return undefined;
  const folder = join(memory, `${prefix}${process.pid}`);
  mkdirSync(folder, { recursive: true });
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Of runs that were killed. */
function removeLeftOvers(): void {
  for (const name of readdirSync(memory)) {
    if (name.startsWith(prefix) && !existsSync(`/proc/${name.slice(prefix.length)}`))
      rmSync(join(memory, name), { recursive: true, force: true });
  }
}
