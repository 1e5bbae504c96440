import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Programs that `npm run infra` fetched, because no package of this machine's system has them. */
export const fetchedBinaries = fileURLToPath(new URL('../../../.runtime/bin/', import.meta.url));

// Debian keeps servers in the sbin folders, which the PATH of an ordinary user lacks.
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Where the program is: on the PATH, among the system's servers or in `.runtime/bin`; undefined when it is nowhere. */
export function findBinary(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders, fetchedBinaries];
  return folders.map((folder) => join(folder, name)).find(canRun);
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
