import { readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '@marimo/observability';
import { fileOf } from './data-directory.ts';
import { identityOf, servesDirectory } from './process-identity.ts';
import { shutDown } from './shut-down.ts';

/** Takes the directory for this process. Throws when a living process has it; a dead one's claim is void. */
export async function claimDirectory(directory: string): Promise<void> {
  const mine = `${process.pid} ${await identityOf(process.pid)}\n`;
  const file = fileOf.owner(directory);
  for (;;) {
    try {
      await writeFile(file, mine, { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid, identity] = (await readFile(file, 'utf8').catch(() => '')).trim().split(' ');
    if (pid !== undefined && identity !== undefined && (await identityOf(Number(pid))) === identity) {
      throw new Error(`The database in ${directory} is in use by process ${pid}; stop that one first`);
    }
    await rm(file, { force: true });
  }
}

export async function releaseDirectory(directory: string): Promise<void> {
  await rm(fileOf.owner(directory), { force: true });
}

export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly socketDirectory: string | undefined;
  readonly ready: boolean;
}

/** What the server writes about itself; the layout is fixed (pg_ctl reads it too). */
export async function readPostmasterFile(data: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  return {
    pid: Number(lines[0]),
    port: Number(lines[3]),
    socketDirectory: lines[4]?.trim() || undefined,
    ready: lines[7]?.trim() === 'ready',
  };
}

/** Ends a server that outlived the process which started it, the way its own parent would have. */
export async function stopLeftOver(data: string, log: Log): Promise<void> {
  const left = await readPostmasterFile(data);
  if (!left || !(left.pid > 0)) return;
  if (await servesDirectory(left.pid, await realpath(data))) {
    log.warn('a database server was left over from an earlier start; stopping it', { pid: left.pid });
    const ended = await shutDown(
      (signal) => signalIfThere(left.pid, signal),
      (waitMs) => hasEnded(left.pid, waitMs),
    );
    if (!ended) throw new Error(`A database server left over in ${data} (process ${left.pid}) does not stop`);
  }
  // What was killed leaves its number here, and something else may have that by now: another program after a restart
  // of the machine, or the server's own corpse where nobody collects it. The server would take either for itself and
  // refuse to start. Children of a killed server are found by their shared memory, whose key comes from the directory.
  await rm(join(data, 'postmaster.pid'), { force: true });
  if (left.socketDirectory !== undefined) {
    const socket = join(left.socketDirectory, `.s.PGSQL.${left.port}`);
    for (const file of [socket, `${socket}.lock`]) await rm(file, { force: true });
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function hasEnded(pid: number, withinMs: number): Promise<boolean> {
  const until = Date.now() + withinMs;
  while (Date.now() < until) {
    if ((await identityOf(pid)) === undefined) return true;
    await pause(20);
  }
  return false;
}
