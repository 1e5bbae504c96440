import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '@marimo/observability';
import pg from 'pg';
import { columnTypes } from './column-types.ts';
import type { DatabaseMetrics } from './database-metrics.ts';
import { cancelled, DatabaseUnavailable, unavailable } from './failures.ts';
import type { Interruption } from './interruption.ts';

export interface ConnectionPool {
  /** A connection of one's own; waits some seconds for it, less when the work is interrupted. */
  acquire(interruption: Interruption): Promise<pg.PoolClient>;
  /** `broken` closes it instead of lending it again. */
  release(client: pg.PoolClient, broken: boolean): void;
  close(): Promise<void>;
}

/** The connection of one transaction. */
export interface LentConnection {
  readonly client: pg.PoolClient;
  /** Closes it and takes another. */
  replace(): Promise<void>;
  giveBack(reusable: boolean): void;
}

export async function lendConnection(
  pool: ConnectionPool,
  interruption: Interruption,
): Promise<LentConnection> {
  let client: pg.PoolClient;
  let isHeld = false;
  const take = async () => {
    client = await pool.acquire(interruption);
    isHeld = true;
  };
  const giveBack = (reusable: boolean) => {
    if (isHeld) pool.release(client, !reusable);
    isHeld = false;
  };
  await take();
  return {
    get client() {
      return client;
    },
    async replace() {
      giveBack(false);
      await take();
    },
    giveBack,
  };
}

export interface PoolSettings {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly maxConnections: number;
  readonly acquireTimeoutMs: number;
  readonly log: Log;
  readonly metrics: DatabaseMetrics;
}

/** A process that hangs inside a transaction must not hold its locks for ever. */
const idleInTransactionMs = 60_000;
const tellAgainMs = 10_000;
/** A server that hangs does not answer the goodbye. */
const goodbyeMs = 1_000;

export function openPool(settings: PoolSettings): ConnectionPool {
  const { name, log, metrics, maxConnections, acquireTimeoutMs, ...server } = settings;
  const pool = new pg.Pool({
    ...server,
    application_name: `marimo ${server.user}`,
    max: maxConnections,
    connectionTimeoutMillis: acquireTimeoutMs,
    idleTimeoutMillis: 30_000,
    // Copies of the server behind one name get their share again after a change.
    maxLifetimeSeconds: 1_800,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    types: columnTypes,
  });
  // Without these two a connection that dies while idle, or while lent, would end the process.
  pool.on('error', (error) => log.warn('an idle database connection was lost', { pool: name, error }));
  pool.on('connect', (client) => client.on('error', () => undefined));
  const open = new Set<pg.PoolClient>();
  pool.on('connect', (client) => open.add(client));
  pool.on('remove', (client) => open.delete(client));

  // The refusal leaks nothing, so the reason (refused, wrong password, all in use) goes here; not once per request.
  let toldAt = 0;
  const tellWhy = (error: DatabaseUnavailable) => {
    if (Date.now() - toldAt < tellAgainMs) return;
    toldAt = Date.now();
    const inUse = pool.totalCount - pool.idleCount;
    log.error('there is no database connection to be had', { pool: name, inUse, error: error.cause });
  };

  return {
    async acquire(interruption) {
      try {
        return await lend(pool, interruption);
      } catch (error) {
        if (error instanceof DatabaseUnavailable) tellWhy(error);
        throw error;
      } finally {
        metrics.poolChanged(name, pool);
      }
    },
    release(client, broken) {
      client.release(broken);
      metrics.poolChanged(name, pool);
    },
    async close() {
      await pool.end();
      // It has only said goodbye; a server that is stopped right after would cut these connections instead.
      const until = Date.now() + goodbyeMs;
      while (open.size > 0 && Date.now() < until) await pause(5);
    },
  };
}

function lend(pool: pg.Pool, { signal }: Interruption): Promise<pg.PoolClient> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(cancelled());
    const giveUp = () => reject(cancelled());
    signal.addEventListener('abort', giveUp, { once: true });
    pool.connect().then(
      (client) => {
        signal.removeEventListener('abort', giveUp);
        // The wait cannot be taken back; who gave up returns the connection when it comes.
        if (signal.aborted) client.release();
        else resolve(client);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', giveUp);
        reject(unavailable(error, 'nothing-written'));
      },
    );
  });
}
