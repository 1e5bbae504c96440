import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createLog } from '@marimo/observability';
import { asAdministrator, createDatabaseIfMissing } from '../administrator.ts';
import type { ServerAddress } from '../settings.ts';
import { findBinaries } from './binaries.ts';
import { prepareData } from './data-directory.ts';
import { readPostmasterFile, stopLeftOver } from './left-over.ts';
import { identityOf } from './process-identity.ts';
import { runningEmbeddedServer } from './running.ts';
import { type EmbeddedServer, type EmbeddedServerOptions, startEmbeddedServer } from './server.ts';
import { chooseUnixUser } from './unix-user.ts';

const log = createLog({ service: 'test', level: 'silent' });
const holdServer = fileURLToPath(new URL('../../test/hold-server.ts', import.meta.url));
// Ordinary users meet none of this: the server runs as themselves.
const itAsRoot = process.getuid?.() === 0 ? it : it.skip;

let place: string;
let directory: string;
const running: EmbeddedServer[] = [];
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'marimo-embedded-'));
  await chmod(place, 0o755);
});
beforeEach(() => {
  // A server costs a second to create and a moment to start: tests share one where they leave it whole.
  directory = join(place, 'shared');
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});
afterAll(() => rm(place, { recursive: true, force: true }));

const newDirectory = () => {
  directory = join(place, randomUUID());
};

async function start(options: Partial<EmbeddedServerOptions> = {}): Promise<ServerAddress> {
  const embedded = await startEmbeddedServer({ directory, log, ...options });
  running.push(embedded);
  return embedded.server;
}

async function query(server: ServerAddress, sql: string): Promise<unknown[]> {
  return asAdministrator(
    { ...server, database: 'postgres' },
    async (client) => (await client.query(sql)).rows,
  );
}

async function startHolder(): Promise<{ holder: ChildProcess; server: ServerAddress; postmaster: number }> {
  const holder = spawn(process.execPath, [holdServer, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(holder.stdout as NonNullable<typeof holder.stdout>, 'data');
  const postmaster = (await readPostmasterFile(join(directory, 'data')))?.pid as number;
  return { holder, server: JSON.parse(String(line)), postmaster };
}

async function killHard(holder: ChildProcess): Promise<void> {
  holder.kill('SIGKILL');
  await once(holder, 'exit');
}

async function untilGone(pid: number): Promise<void> {
  while ((await identityOf(pid)) !== undefined) await pause(20);
}

describe('the embedded server', () => {
  it('keeps its data, its port and its password from one start to the next', async () => {
    const first = await start();
    await query(first, 'create table if not exists kept as select 7 as seven');
    await running[0]?.stop();
    const second = await start();
    expect(second).toEqual(first);
    expect(await query(second, 'select seven from kept')).toEqual([{ seven: 7 }]);
  });

  it('waits for the disk, knows all languages, and lets nobody in without the password', async () => {
    const server = await start();
    expect(await query(server, "select current_setting('fsync') as fsync, lower('СЧЁТ') as lower")).toEqual([
      { fsync: 'on', lower: 'счёт' },
    ]);
    await expect(query({ ...server, password: 'guessed' }, 'select 1')).rejects.toThrow(
      'password authentication',
    );
    expect((await stat(join(directory, 'password'))).mode & 0o777).toBe(0o600);
  });

  it('is reached by its Unix socket, and by TCP where that is not there', async () => {
    const server = await start();
    const where = 'select inet_server_addr()::text as address';
    expect(await query(server, where)).toEqual([{ address: null }]);
    await rm(join(directory, `.s.PGSQL.${server.port}`));
    expect(await query(server, where)).toEqual([{ address: '127.0.0.1/32' }]);
  });

  it('starts without a socket where the path to it would be too long', async () => {
    directory = join(place, 'long'.repeat(30));
    const server = await start({ throwAway: true });
    expect(server.socketDirectory).toBeUndefined();
    expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('makes the database of the platform when it is missing', async () => {
    const server = await start();
    await Promise.all([createDatabaseIfMissing(server), createDatabaseIfMissing(server)]);
    const named = await asAdministrator(server, (client) =>
      client.query('select current_database()::text as name'),
    );
    expect(named.rows).toEqual([{ name: 'marimo' }]);
  });

  it('is found by a command that looks into the platform while it works, and only then', async () => {
    newDirectory();
    expect(await runningEmbeddedServer(directory)).toBeUndefined();
    const server = await start();
    expect(await runningEmbeddedServer(directory)).toEqual(server);
    await running[0]?.stop();
    expect(await runningEmbeddedServer(directory)).toBeUndefined();
  });

  it('tells when it ends without being asked', async () => {
    await start();
    process.kill((await readPostmasterFile(join(directory, 'data')))?.pid as number, 'SIGINT');
    expect(await running[0]?.exited).toMatch(/[a-z]/);
  });
});

describe('when the process that started it is killed', () => {
  it('ends by itself, and the next start finds all that was committed', async () => {
    const { holder, server, postmaster } = await startHolder();
    await query(server, 'create table if not exists kept as select 7 as seven');
    await killHard(holder);
    await untilGone(postmaster);
    expect(await query(await start(), 'select seven from kept')).toEqual([{ seven: 7 }]);
  });

  it('and is killed too, the next start recovers all that was committed', async () => {
    const { holder, server, postmaster } = await startHolder();
    await query(server, 'create table if not exists kept as select 7 as seven');
    process.kill(postmaster, 'SIGKILL');
    await killHard(holder);
    expect(await query(await start(), 'select seven from kept')).toEqual([{ seven: 7 }]);
  });

  it('and is still there, it is stopped before the next start', async () => {
    await start();
    const left = await readPostmasterFile(join(directory, 'data'));
    await stopLeftOver(join(directory, 'data'), log);
    await running[0]?.exited;
    expect(() => process.kill(left?.pid as number, 0)).toThrow('ESRCH');
  });

  it('and dies without clearing up, its number is not in the way of the next start', async () => {
    await start();
    await running[0]?.stop();
    const dying = spawn('sleep', ['60'], { cwd: join(directory, 'data') });
    await writeFile(
      join(directory, 'data', 'postmaster.pid'),
      `${dying.pid}\n${directory}/data\n1\n5432\n\n\n\n`,
    );
    const ended = once(dying, 'exit');
    await stopLeftOver(join(directory, 'data'), log);
    expect(await ended).toEqual([null, 'SIGINT']);
    expect(await readPostmasterFile(join(directory, 'data'))).toBeUndefined();
  });

  it('is not mistaken for another program that has its number by now', async () => {
    await start();
    await running[0]?.stop();
    const stranger = spawn('sleep', ['60']);
    await writeFile(
      join(directory, 'data', 'postmaster.pid'),
      `${stranger.pid}\n${directory}/data\n1\n5432\n\n\n\n`,
    );
    const server = await start();
    expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    stranger.kill();
  });
});

describe('the embedded server refuses to start', () => {
  it('in a directory that another start has', async () => {
    await start();
    await expect(start()).rejects.toThrow(`in use by process ${process.pid}`);
  });

  it('on a port that is taken, and leaves the directory free', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(start({ port })).rejects.toThrow(`Port ${port}, wanted for the database, is taken`);
    other.close();
    expect((await start()).port).toBeGreaterThan(0);
  });

  it('on data of another version', async () => {
    newDirectory();
    await mkdir(join(directory, 'data'), { recursive: true });
    await writeFile(join(directory, 'data', 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toThrow('was written by PostgreSQL 17, and this is 18');
  });

  it('on data that is damaged, with the server’s own words', async () => {
    newDirectory();
    await start({ throwAway: true });
    await running[0]?.stop();
    await rm(join(directory, 'data', 'global', 'pg_control'));
    await expect(start({ throwAway: true })).rejects.toThrow(/did not start: .*pg_control/s);
    expect(await readFile(join(directory, 'server.log'), 'utf8')).toContain('pg_control');
  });

  it('on a half-made cluster, but makes a whole one in its place', async () => {
    newDirectory();
    await mkdir(join(directory, 'data.new'), { recursive: true });
    await writeFile(join(directory, 'data.new', 'PG_VERSION'), '18\n');
    expect(await query(await start({ throwAway: true }), 'select 1 as one')).toEqual([{ one: 1 }]);
    await expect(stat(join(directory, 'data.new'))).rejects.toThrow('ENOENT');
  });
});

describe('started by root', () => {
  itAsRoot('it runs as somebody else', async () => {
    await start();
    expect((await stat(join(directory, 'data'))).uid).not.toBe(0);
  });

  itAsRoot('it also works in a directory that only root may enter', async () => {
    newDirectory();
    await mkdir(directory, { mode: 0o700 });
    const server = await start({ directory: join(directory, 'database'), throwAway: true });
    expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  itAsRoot('and when the programs too lie where only root may enter', async () => {
    newDirectory();
    await mkdir(directory, { mode: 0o700 });
    const { postgres } = findBinaries();
    const native = join(directory, 'native');
    await cp(dirname(dirname(postgres)), native, { recursive: true });
    const hidden = { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
    const database = join(directory, 'database');
    await mkdir(database);
    const user = await chooseUnixUser(hidden, database);
    if (user.ids) await chown(database, user.ids.uid, user.ids.gid);
    const { data } = await prepareData(database, hidden, user, true, () => undefined);
    expect((await stat(join(data, 'PG_VERSION'))).uid).toBe(user.ids?.uid);
  });
});
