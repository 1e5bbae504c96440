import { currentContext, type Metrics } from '@marimo/observability';
import type pg from 'pg';

export interface DatabaseMetrics {
  /** Runs one statement, counts it by its first word and how it ended, and adds it to what the work at hand costs. */
  observe<T>(sql: string, statement: () => Promise<T>): Promise<T>;
  /** Tells how the pool stands; cheap enough for every checkout. */
  poolChanged(name: string, pool: pg.Pool): void;
}

const operations = new Set(['select', 'insert', 'update', 'delete', 'with', 'copy', 'begin', 'commit']);

export function databaseMetrics(metrics: Metrics): DatabaseMetrics {
  const labels = ['operation', 'outcome'] as const;
  const total = metrics.counter('db_queries_total', 'Statements sent to the database', labels);
  const duration = metrics.histogram(
    'db_query_duration_seconds',
    'Time the database took for a statement',
    labels,
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  );
  const connections = metrics.gauge('db_pool_connections', 'Connections of the pool', ['pool', 'state']);

  return {
    async observe(sql, statement) {
      const startedAt = performance.now();
      const cost = currentContext()?.cost;
      if (cost !== undefined) cost.statements += 1;
      let outcome = 'failed';
      try {
        const result = await statement();
        outcome = 'done';
        return result;
      } finally {
        const of = { operation: operationOf(sql), outcome };
        total.inc(of);
        duration.observe(of, (performance.now() - startedAt) / 1_000);
      }
    },
    poolChanged(name, pool) {
      connections.set({ pool: name, state: 'active' }, pool.totalCount - pool.idleCount);
      connections.set({ pool: name, state: 'idle' }, pool.idleCount);
      connections.set({ pool: name, state: 'waiting' }, pool.waitingCount);
    },
  };
}

function operationOf(sql: string): string {
  const word = /[a-z]+/i.exec(sql)?.[0].toLowerCase() ?? '';
  return operations.has(word) ? word : 'other';
}
