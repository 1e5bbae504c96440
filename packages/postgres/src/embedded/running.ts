import { readFile, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ServerAddress } from '../settings.ts';
import { addressOf, fileOf } from './data-directory.ts';
import { readPostmasterFile } from './left-over.ts';
import { servesDirectory } from './process-identity.ts';

/**
 * The server that another process of ours runs in this directory, if one does: for commands that look into a platform
 * while it works.
 */
export async function runningEmbeddedServer(directory: string): Promise<ServerAddress | undefined> {
  const data = fileOf.data(resolve(directory));
  const file = await readPostmasterFile(data);
  if (!file?.ready || !(await servesDirectory(file.pid, await realpath(data)))) return undefined;
  const password = (await readFile(fileOf.password(resolve(directory)), 'utf8')).trim();
  const { port, socketDirectory } = file;
  return addressOf({ port, password, socketDirectory });
}
