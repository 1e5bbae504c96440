import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createLog } from '@marimo/observability';
import { type EmbeddedServer, type ServerAddress, startEmbeddedServer } from '@marimo/postgres';

/** Where the workers of this Jest run find the cluster that its main process started. */
const variable = 'MARIMO_TEST_CLUSTER';
const prefix = 'marimo-test-database-';

interface Outcome {
  readonly server?: ServerAddress;
  readonly error?: string;
}

export interface TestCluster {
  stop(): Promise<void>;
}

/**
 * Starts one cluster for the whole run and does not wait for it: tests without a database need not. A run that a test
 * starts uses that of its test.
 */
export async function startTestCluster(): Promise<TestCluster> {
  if (process.env[variable] !== undefined) return { stop: async () => {} };
  await removeLeftOvers();
  const directory = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
  process.env[variable] = directory;
  const log = createLog({ service: 'testing', level: 'silent' });
  const started = startEmbeddedServer({ directory, log, throwAway: true });
  const told = started.then(
    ({ server }) => tell(directory, { server }),
    (error: unknown) => tell(directory, { error: String(error) }),
  );
  return {
    async stop() {
      const running: EmbeddedServer | undefined = await started.catch(() => undefined);
      await told;
      await running?.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The cluster of this run, once it is ready. */
export async function testCluster(): Promise<ServerAddress> {
  const directory = process.env[variable];
  if (directory === undefined) throw new Error('Tests with a database run under Jest with its global setup');
  const file = outcomeFile(directory);
  for (let waitedMs = 0; !existsSync(file); waitedMs += 20) {
    if (waitedMs > 25_000) throw new Error('The test database was not ready within 25 s');
    await pause(20);
  }
  const { server, error } = JSON.parse(await readFile(file, 'utf8')) as Outcome;
  if (server === undefined) throw new Error(`The test database did not start: ${error}`);
  return { ...server, database: 'postgres' };
}

async function tell(directory: string, outcome: Outcome): Promise<void> {
  const file = outcomeFile(directory);
  await writeFile(`${file}.new`, JSON.stringify(outcome));
  await rename(`${file}.new`, file);
}

function outcomeFile(directory: string): string {
  return join(directory, 'outcome.json');
}

/** A run that was killed leaves its directory; the server in it has ended by itself. */
async function removeLeftOvers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length).split('-')[0]) : 0;
    if (pid > 0 && !isAlive(pid)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
