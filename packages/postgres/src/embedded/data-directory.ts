import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerAddress } from '../settings.ts';
import { type Binaries, majorVersion } from './binaries.ts';
import { spawnAs, type UnixUser } from './unix-user.ts';

export interface DataDirectory {
  readonly data: string;
  readonly password: string;
}

/** The files that make up an embedded server, below its directory. */
export const fileOf = {
  data: (directory: string) => join(directory, 'data'),
  password: (directory: string) => join(directory, 'password'),
  port: (directory: string) => join(directory, 'port'),
  owner: (directory: string) => join(directory, 'owner'),
  log: (directory: string) => join(directory, 'server.log'),
};

/** Every embedded server has this address but for what differs from one start or directory to another. */
export function addressOf(own: Pick<ServerAddress, 'port' | 'password' | 'socketDirectory'>): ServerAddress {
  return { host: '127.0.0.1', user: 'postgres', database: 'marimo', ...own };
}

/** An empty cluster with its first log segments, and room to begin. */
const neededMegabytes = 128;

/** Finds the data of an earlier start, or makes an empty cluster. `throwAway` saves the time that durability costs. */
export async function prepareData(
  directory: string,
  binaries: Binaries,
  user: UnixUser,
  throwAway: boolean,
  onProgress: (message: string) => void,
): Promise<DataDirectory> {
  const data = fileOf.data(directory);
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version !== undefined) {
    if (version.trim() !== majorVersion) {
      throw new Error(
        `The data in ${data} was written by PostgreSQL ${version.trim()}, and this is ${majorVersion}: ` +
          'move it away, or serve it with its own version and name that server with DB_HOST',
      );
    }
    return { data, password: (await readFile(fileOf.password(directory), 'utf8')).trim() };
  }
  const { bavail, bsize } = await statfs(directory);
  const freeMegabytes = Math.floor((bavail * bsize) / 2 ** 20);
  if (freeMegabytes < neededMegabytes) {
    throw new Error(
      `A new database needs ${neededMegabytes} MB, and the disk of ${directory} has ${freeMegabytes} MB left`,
    );
  }
  onProgress('creating the database');
  const password = randomBytes(24).toString('base64url');
  await writeFile(fileOf.password(directory), `${password}\n`, { mode: 0o600 });
  if (user.ids) await chown(fileOf.password(directory), user.ids.uid, user.ids.gid);
  // Made beside its place and moved there: a half-made cluster must never look like one.
  const unfinished = `${data}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  if (user.ids) await chown(unfinished, user.ids.uid, user.ids.gid);
  try {
    await initialise(binaries, user, directory, unfinished, throwAway);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  await rename(unfinished, data);
  return { data, password };
}

async function initialise(
  binaries: Binaries,
  user: UnixUser,
  directory: string,
  data: string,
  throwAway: boolean,
): Promise<void> {
  const args = [
    `--pgdata=${data}`,
    '--username=postgres',
    // The same order and case rules on every machine, Cyrillic included, whatever its libc.
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
    '--encoding=UTF8',
    '--no-instructions',
    `--pwfile=${fileOf.password(directory)}`,
    throwAway ? '--auth=trust' : '--auth=scram-sha-256',
    ...(throwAway ? ['--no-sync'] : []),
  ];
  const child = spawnAs(user, binaries.initdb, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`The database could not be created in ${directory}: ${reasonIn(output)}`);
}

/** Why a program gave up: the one reason that hides behind many others, else what it said last. */
export function reasonIn(output: string): string {
  if (output.includes('No space left on device')) return 'the disk is full';
  return output.trim().split('\n').slice(-4).join(' | ') || 'it gave no reason';
}
