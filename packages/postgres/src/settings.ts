import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** How to reach a PostgreSQL server, as its administrator: only migrations use this. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly replicaHost?: string;
  /** Where a server of this machine has its Unix socket. */
  readonly socketDirectory?: string | undefined;
}

/**
 * What pg calls the host: the directory of the Unix socket where there is one. A statement by it costs a third less
 * than by TCP, most of that in our own process.
 */
export function hostOf({ host, port, socketDirectory }: ServerAddress): string {
  const isThere = socketDirectory !== undefined && existsSync(join(socketDirectory, `.s.PGSQL.${port}`));
  return isThere ? socketDirectory : host;
}
