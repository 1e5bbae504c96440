import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.ts';

const run = promisify(execFile);

/** As whom the server runs: PostgreSQL refuses to run as root. */
export interface UnixUser {
  readonly name: string;
  /** Undefined when we are that user already. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined;
  /** Goes before the command where the user alone could not reach the files. */
  readonly prefix: readonly string[];
}

export function spawnAs(
  user: UnixUser,
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const [first = command, ...rest] = [...user.prefix, command, ...args];
  // setpriv changes the user itself, after it has passed the capabilities on.
  const ids = user.prefix.length > 0 ? {} : user.ids;
  return spawn(first, rest, { ...options, ...ids });
}

/**
 * Ourselves, unless we are root. Then the first unprivileged user who reaches both the programs and the directory;
 * and where none does, because the project lies in a directory only root may enter, one who is lent the right to look
 * into directories. Containers often withhold that one even from root; there it is the wider right that they leave.
 */
export async function chooseUnixUser(binaries: Binaries, directory: string): Promise<UnixUser> {
  if (process.getuid?.() !== 0) return { name: 'this user', ids: undefined, prefix: [] };
  const users = await unprivilegedUsers(directory);
  for (const right of [undefined, 'dac_read_search', 'dac_override']) {
    for (const user of users) {
      const tried = right === undefined ? user : lent(right, user);
      if (await reaches(tried, binaries, directory)) return tried;
    }
  }
  throw new Error(
    `PostgreSQL does not run as root, and no other user of this machine reaches both ${binaries.postgres} and ` +
      `${directory}. Start as an ordinary user, or move the project and MARIMO_HOME to where everyone may enter ` +
      '(for example /opt or /srv), or name a server with DB_HOST.',
  );
}

async function unprivilegedUsers(directory: string): Promise<UnixUser[]> {
  const found: UnixUser[] = [];
  // Data that exists can only be served by the user who owns it.
  const owner = await stat(`${directory}/data`).catch(() => undefined);
  if (owner && owner.uid !== 0) {
    return [{ name: `uid ${owner.uid}`, ids: { uid: owner.uid, gid: owner.gid }, prefix: [] }];
  }
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      found.push({ name, ids: { uid: Number(uid.stdout), gid: Number(gid.stdout) }, prefix: [] });
    } catch {
      // this machine has no such user
    }
  }
  return found;
}

function lent(right: string, user: UnixUser): UnixUser {
  const { uid, gid } = user.ids ?? { uid: 65_534, gid: 65_534 };
  const prefix = [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    // access(2) looks at what a user may without such rights, unless told not to; initdb asks by it.
    '--securebits=+no_setuid_fixup',
    `--inh-caps=+${right}`,
    `--ambient-caps=+${right}`,
    '--',
  ];
  return { ...user, prefix };
}

/** Asks the programs themselves: they have to be found, find each other, load their libraries, and stand in the directory. */
async function reaches(user: UnixUser, binaries: Binaries, directory: string): Promise<boolean> {
  const script = 'cd "$1" && exec "$2" --show --pgdata="$1/data"';
  const child = spawnAs(user, 'sh', ['-c', script, 'sh', directory, binaries.initdb], { stdio: 'ignore' });
  return new Promise((resolve) => {
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });
}
