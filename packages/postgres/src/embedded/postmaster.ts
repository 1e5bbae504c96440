import type { ChildProcess } from 'node:child_process';
import { open, readFile, rename } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import { fileOf, reasonIn } from './data-directory.ts';
import { readPostmasterFile } from './left-over.ts';
import { shutDown } from './shut-down.ts';
import { spawnAs, type UnixUser } from './unix-user.ts';

export interface Postmaster {
  readonly exited: Promise<void>;
  /** Disconnects everyone, rolls their transactions back, writes all out and ends; harder when that takes too long. */
  stop(): Promise<void>;
}

/**
 * Becomes the server, and leaves a watcher beside it that holds our end of a pipe: however we end, kill -9 included,
 * the pipe closes and the watcher asks the server to shut down. It is twice detached, because the server would
 * otherwise take it for one of its own children.
 */
const withWatcher =
  'server=$$; exec 3<&0 </dev/null; ( ( cat <&3 >/dev/null; kill -INT "$server" 2>/dev/null ) & ) ; exec "$@" 3<&-';

/** Recovery after a crash reads all that was written since the last checkpoint. */
const startTimeoutMs = 180_000;

/** The children of a server that was killed end by themselves, and no other server may touch the data before. */
const orphansLastMs = 15_000;

export interface PostmasterOptions {
  readonly directory: string;
  readonly data: string;
  readonly port: number;
  readonly socketDirectory: string | undefined;
  readonly throwAway: boolean;
  readonly binaries: Binaries;
  readonly user: UnixUser;
}

/** Resolves once the server takes connections; rejects with its own words when it does not come up. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const logFile = fileOf.log(options.directory);
  await rename(logFile, `${logFile}.1`).catch(() => undefined);
  const until = Date.now() + orphansLastMs;
  for (;;) {
    try {
      return await attempt(options, logFile);
    } catch (error) {
      if (!String(error).includes('shared memory block') || Date.now() > until) throw error;
      await pause(200);
    }
  }
}

async function attempt(options: PostmasterOptions, logFile: string): Promise<Postmaster> {
  const { data, binaries, user } = options;
  const log = await open(logFile, 'w', 0o600);
  let child: ChildProcess;
  try {
    child = spawnAs(user, 'sh', ['-c', withWatcher, 'sh', binaries.postgres, ...settings(options)], {
      cwd: data,
      stdio: ['pipe', log.fd, log.fd],
      // A session of its own: Ctrl-C in the terminal is for us; we stop the server when the services are done.
      detached: true,
    });
  } finally {
    await log.close();
  }
  let running = true;
  child.stdin?.on('error', () => undefined);
  const exited = new Promise<void>((resolve) => {
    const ended = () => {
      running = false;
      child.stdin?.destroy();
      resolve();
    };
    child.on('exit', ended);
    child.on('error', ended);
  });

  const until = Date.now() + startTimeoutMs;
  for (;;) {
    if (!running) {
      const said = await readFile(logFile, 'utf8').catch(() => '');
      throw new Error(`The database server did not start: ${reasonIn(said)}`);
    }
    const file = await readPostmasterFile(data);
    if (file?.ready && file.pid === child.pid) break;
    if (Date.now() > until) {
      child.kill('SIGQUIT');
      throw new Error(`The database server was not ready within ${startTimeoutMs / 1_000} s; see ${logFile}`);
    }
    await pause(10);
  }
  return { exited, stop: () => stop(child, exited, () => running) };
}

async function stop(child: ChildProcess, exited: Promise<void>, isRunning: () => boolean): Promise<void> {
  if (!isRunning()) return;
  await shutDown(
    (signal) => child.kill(signal),
    async (waitMs) => {
      const timer = new AbortController();
      await Promise.race([exited, pause(waitMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
      timer.abort();
      return !isRunning();
    },
  );
}

function settings({ data, port, socketDirectory, throwAway }: PostmasterOptions): string[] {
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: socketDirectory ?? '',
    // Each service holds up to ten connections of its own and a few for its relay.
    max_connections: 200,
    log_checkpoints: 'off',
    log_min_messages: 'warning',
    log_min_error_statement: 'panic',
    ...(throwAway ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  return ['-D', data, ...Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
