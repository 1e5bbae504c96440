import type { Log } from '@marimo/observability';
import type { Transaction, TransactionOptions } from './database.ts';
import type { DatabaseMetrics } from './database-metrics.ts';
import type { Interruption } from './interruption.ts';
import { type ConnectionPool, lendConnection } from './pool.ts';
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
    const { pool, tenantId, options, interruption, metrics } = given;
    const connection = await lendConnection(pool, interruption);
    const tx = new OpenTransaction(connection, tenantId, options, interruption, metrics);
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
      connection.giveBack(reusable);
    }
    for (const hook of tx.hooks) runHook(hook, given.log);
    return result;
  }, given.interruption);
}

function runHook(hook: () => void, log: Log): void {
  try {
    hook();
  } catch (error) {
    log.error('a hook after commit failed', { error });
  }
}
