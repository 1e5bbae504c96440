import type { Log, Metrics } from '@marimo/observability';
import type { Database, TenantTransaction, TransactionOptions } from './database.ts';
import { databaseMetrics } from './database-metrics.ts';
import { DatabaseUnavailable } from './failures.ts';
import { interruptionOf } from './interruption.ts';
import { type ConnectionPool, openPool } from './pool.ts';
import { type LoginRole, roleName } from './roles.ts';
import { inOneTransaction, type Work } from './run-transaction.ts';
import { hostOf, type ServerAddress } from './settings.ts';
import { checkTenantId } from './transaction.ts';

export interface DatabaseOptions {
  /** Only host, port, database and replicaHost are used: a service never logs in as the administrator. */
  readonly server: ServerAddress;
  readonly schema: string;
  readonly role: LoginRole;
  readonly password: string;
  readonly metrics: Metrics;
  readonly log: Log;
  /** For each of primary and replica; default 10. */
  readonly maxConnections?: number;
  /** How long a transaction waits for a connection before the database counts as unavailable; default 5,000. */
  readonly acquireTimeoutMs?: number;
}

/** After a replica failed, the primary serves its reads this long before it is tried again. */
const replicaPauseMs = 5_000;

/** Opens the database as one service sees it. Connections are made when they are needed. */
export function openDatabase(options: DatabaseOptions): Database {
  const { schema, role, server, log } = options;
  const metrics = databaseMetrics(options.metrics);
  const poolAt = (host: string, name: string) =>
    openPool({
      name,
      host,
      port: server.port,
      database: server.database,
      user: roleName(schema, role),
      password: options.password,
      maxConnections: options.maxConnections ?? 10,
      acquireTimeoutMs: options.acquireTimeoutMs ?? 5_000,
      log,
      metrics,
    });
  const primary = poolAt(hostOf(server), role);
  const replica =
    server.replicaHost === undefined ? undefined : poolAt(server.replicaHost, `${role}-replica`);
  let replicaAwayUntil = 0;

  async function transact<T>(tenantId: string | null, work: Work<T>, given: TransactionOptions): Promise<T> {
    if (tenantId !== null) checkTenantId(tenantId);
    const wanted = given.mayBeStale ? { ...given, readOnly: true } : given;
    const interruption = interruptionOf(given);
    const on = (pool: ConnectionPool) =>
      inOneTransaction(work, { pool, tenantId, options: wanted, interruption, metrics, log });
    try {
      if (given.mayBeStale && replica !== undefined && Date.now() >= replicaAwayUntil) {
        try {
          return await on(replica);
        } catch (error) {
          if (!(error instanceof DatabaseUnavailable)) throw error;
          replicaAwayUntil = Date.now() + replicaPauseMs;
          log.warn('the replica does not answer; reading from the primary', { error });
        }
      }
      return await on(primary);
    } finally {
      interruption.dispose();
    }
  }

  return {
    schema,
    inTenant: (tenantId, work, given = {}) =>
      transact(tenantId, (tx) => work(tx as TenantTransaction), given),
    withoutTenant: (work, given = {}) => transact(null, work, given),
    ping: () =>
      transact(null, async (tx) => void (await tx.run('select')), {
        readOnly: true,
        deadlineAt: Date.now() + 5_000,
      }),
    async close() {
      await Promise.all([primary.close(), replica?.close()]);
    },
  };
}
