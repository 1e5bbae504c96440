import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
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

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });
}
