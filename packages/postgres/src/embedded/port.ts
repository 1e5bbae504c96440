import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileOf } from './data-directory.ts';

/** The wanted port, else the one of the last start if it is still free, else any free one. Loopback only. */
export async function choosePort(directory: string, wanted: number | undefined): Promise<number> {
  if (wanted !== undefined) {
    if (await isFree(wanted)) return wanted;
    throw new Error(`Port ${wanted}, wanted for the database, is taken by another program`);
  }
  const last = Number(await readFile(fileOf.port(directory), 'utf8').catch(() => '0'));
  const port = last > 0 && (await isFree(last)) ? last : await freePort();
  await writeFile(fileOf.port(directory), `${port}\n`);
  return port;
}

async function isFree(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  );
}

function freePort(): Promise<number> {
  return listenOnce(0);
}

/**
 * Whether a Unix socket can be made in the directory: its path may be too long, its file system may know none. The
 * server would not start where it cannot make one, so we try first.
 */
export async function takesSockets(directory: string, port: number): Promise<boolean> {
  const tried = join(directory, `.s.PGSQL.${port}.try`);
  await rm(tried, { force: true });
  return listenOnce(tried).then(
    () => true,
    () => false,
  );
}

function listenOnce(at: number | string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(typeof at === 'string' ? { path: at } : { port: at, host: '127.0.0.1' }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
