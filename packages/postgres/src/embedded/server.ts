import { chown, mkdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Log } from '@marimo/observability';
import type { ServerAddress } from '../settings.ts';
import { findBinaries } from './binaries.ts';
import { addressOf, fileOf, prepareData, reasonIn } from './data-directory.ts';
import { claimDirectory, releaseDirectory, stopLeftOver } from './left-over.ts';
import { choosePort, takesSockets } from './port.ts';
import { startPostmaster } from './postmaster.ts';
import { chooseUnixUser } from './unix-user.ts';

export interface EmbeddedServerOptions {
  /** Holds data, password, port and log of this server; made when missing. */
  readonly directory: string;
  /** Without one, any free port, kept for the next start. */
  readonly port?: number;
  readonly log: Log;
  readonly onProgress?: (message: string) => void;
  /** For tests: no password, nothing waits for the disk, and nothing survives a crash. */
  readonly throwAway?: boolean;
}

export interface EmbeddedServer {
  readonly server: ServerAddress;
  /** Resolves when the server has ended, asked or not, with what it said last. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

/** Starts the PostgreSQL that came through npm, on loopback, with the data of this directory. */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const directory = resolve(options.directory);
  try {
    return await start(directory, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    throw new Error(`The database cannot start: the disk of ${directory} is full`, { cause: error });
  }
}

async function start(directory: string, options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const { log, throwAway = false, onProgress = () => undefined } = options;
  const binaries = findBinaries();
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await claimDirectory(directory);
  try {
    const user = await chooseUnixUser(binaries, directory);
    if (user.ids) await chown(directory, user.ids.uid, user.ids.gid);
    const { data, password } = await prepareData(directory, binaries, user, throwAway, onProgress);
    await stopLeftOver(data, log);
    onProgress('starting the database');
    const port = await choosePort(directory, options.port);
    const socketDirectory = (await takesSockets(directory, port)) ? directory : undefined;
    const place = { directory, data, port, socketDirectory };
    const postmaster = await startPostmaster({ ...place, throwAway, binaries, user });
    const exited = postmaster.exited.then(async () => {
      await releaseDirectory(directory);
      return reasonIn(await readFile(fileOf.log(directory), 'utf8').catch(() => ''));
    });
    return {
      server: addressOf({ port, password, socketDirectory }),
      exited,
      async stop() {
        await postmaster.stop();
        await exited;
      },
    };
  } catch (error) {
    await releaseDirectory(directory);
    throw error;
  }
}
