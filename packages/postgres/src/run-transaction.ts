import type { Log } from '@marimo/observability';
import type pg from 'pg';
import type { Transaction, TransactionOptions } from './database.ts';
import type { DatabaseMetrics } from './database-metrics.ts';
import { DatabaseUnavailable } from './failures.ts';
import type { Interruption } from './interruption.ts';
import type { ConnectionPool } from './pool.ts';
import { retryContended } from './retry.ts';
import { OpenTransaction } from './transaction.ts';

export type Work<T> = (tx: Transaction) => Promise<T>;

export interface Circumstances {
  readonly pool: ConnectionPool;
  readonly tenantId: string | null;
  readonly options: TransactionOptions;
  readonly interruption: Interruption;
  readonly metrics: DatabaseMetrics;
  readonly log: Log;
}

/** Begin, work, commit; roll back on any throw; once more from the start when another transaction won. */
export function inOneTransaction<T>(work: Work<T>, given: Circumstances): Promise<T> {
  return retryContended(async () => {
    const { client, tx } = await begin(given);
    let reusable = false;
    let result: T;
    try {
      result = await work(tx);
      await tx.commit();
      reusable = true;
    } catch (error) {
      reusable = await tx.rollback();
      throw error;
    } finally {
      given.pool.release(client, !reusable);
    }
    for (const hook of tx.hooks) runHook(hook, given.log);
    return result;
  }, given.interruption);
}

/**
 * A connection that died while it lay idle may show that only when it is used. Nothing has happened by then, so
 * another one is taken.
 */
async function begin(given: Circumstances): Promise<{ client: pg.PoolClient; tx: OpenTransaction }> {
  const { pool, tenantId, interruption, metrics } = given;
  for (let left = 2; ; left -= 1) {
    const client = await pool.acquire(interruption);
    const tx = new OpenTransaction(client, tenantId, interruption, metrics);
    try {
      await tx.begin(given.options);
      return { client, tx };
    } catch (error) {
      pool.release(client, true);
      if (!(error instanceof DatabaseUnavailable) || left === 0) throw error;
    }
  }
}

function runHook(hook: () => void, log: Log): void {
  try {
    hook();
  } catch (error) {
    log.error('a hook after commit failed', { error });
  }
}
