import type pg from 'pg';
import { cancelUntil } from './cancel.ts';
import { type CopyRows, copyRows } from './copy.ts';
import type { TenantTransaction, Transaction, TransactionOptions } from './database.ts';
import type { DatabaseMetrics } from './database-metrics.ts';
import { cancelled, isCancellation, isLostServer, unavailable } from './failures.ts';
import type { Interruption } from './interruption.ts';
import type { LentConnection } from './pool.ts';
import { PrecededQuery, type Statement } from './preceded-query.ts';

/** How long a cancelled statement may still take before its connection is cut; a network may have swallowed it. */
const cancelGraceMs = 2_000;

const setTenant = "select set_config('app.tenant_id', $1, true)";
const setTenantAndTimeout = `${setTenant}, set_config('statement_timeout', $2, true)`;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** One transaction on one connection: begun, used by the work, then committed or rolled back by who began it. */
export class OpenTransaction implements Transaction {
  tenantId: string | null;
  readonly hooks: (() => void)[] = [];
  readonly #connection: LentConnection;
  readonly #options: TransactionOptions;
  readonly #interruption: Interruption;
  readonly #metrics: DatabaseMetrics;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #begun = false;
  /** The tenant that the server has been told; null where it knows none. */
  #toldTenantId: string | null = null;
  #isBroken = false;
  #over = false;
  #failure: unknown;
  #attempts = 0;

  constructor(
    connection: LentConnection,
    tenantId: string | null,
    options: TransactionOptions,
    interruption: Interruption,
    metrics: DatabaseMetrics,
  ) {
    this.tenantId = tenantId;
    this.#connection = connection;
    this.#options = options;
    this.#interruption = interruption;
    this.#metrics = metrics;
  }

  async rows<Row>(sql: string, values?: readonly unknown[], name?: string): Promise<Row[]> {
    return (await this.#query(sql, values, name)).rows as Row[];
  }

  async first<Row>(sql: string, values?: readonly unknown[], name?: string): Promise<Row | undefined> {
    return (await this.#query(sql, values, name)).rows[0] as Row | undefined;
  }

  async run(sql: string, values?: readonly unknown[], name?: string): Promise<number> {
    return (await this.#query(sql, values, name)).rowCount ?? 0;
  }

  copy(table: string, columns: readonly string[], rows: CopyRows): Promise<number> {
    return this.#inTurn('copy', async () => {
      await this.#send({ text: 'select' }); // begins, where nothing has; a copy cannot follow in the same round trip
      return copyRows(this.#client, table, columns, rows);
    });
  }

  async enterTenant(tenantId: string): Promise<TenantTransaction> {
    if (this.tenantId !== null) throw new Error('This transaction already belongs to a tenant');
    checkTenantId(tenantId);
    await this.#setTenant(tenantId);
    return this as TenantTransaction;
  }

  async inEachTenant(
    tenantIds: readonly string[],
    work: (tenantId: string, tx: TenantTransaction) => Promise<void>,
  ): Promise<void> {
    for (const tenantId of tenantIds) {
      await work(tenantId, await this.enterTenant(tenantId));
      await this.#setTenant(null);
    }
  }

  /** The server is told with the next statement. */
  async #setTenant(tenantId: string | null): Promise<void> {
    await this.#last;
    this.tenantId = tenantId;
  }

  async attempt<R>(work: () => Promise<R>): Promise<R> {
    const name = `attempt_${++this.#attempts}`;
    const hooks = this.hooks.length;
    await this.run(`savepoint ${name}`);
    try {
      const result = await work();
      await this.run(`release savepoint ${name}`);
      return result;
    } catch (error) {
      if (this.#interruption.signal.aborted || isLostServer(error)) throw error;
      await this.#last;
      this.#failure = undefined;
      this.hooks.length = hooks;
      await this.run(`rollback to savepoint ${name}`);
      throw error;
    }
  }

  afterCommit(hook: () => void): void {
    this.hooks.push(hook);
  }

  async commit(): Promise<void> {
    if (this.#waiting > 0) throw new Error('The work ended while a statement of it was still running');
    // Committing a transaction in which a statement failed would roll back and look like success.
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#interruption.signal.aborted) throw cancelled();
    this.#over = true;
    if (!this.#begun) return;
    try {
      await this.#metrics.observe('commit', () => this.#guarded(() => this.#client.query('commit'), false));
    } catch (error) {
      throw isLostServer(error) ? unavailable(error, 'unknown') : error;
    }
  }

  /** Says whether the connection can be lent again. */
  async rollback(): Promise<boolean> {
    this.#over = true;
    // What runs beside the statement that failed, as in a Promise.all, has no use any more.
    await cancelUntil(() => this.#waiting === 0, this.#client);
    await this.#last.catch(() => undefined);
    if (!this.#begun) return true;
    try {
      await this.#guarded(() => this.#client.query('rollback'), false);
      return !this.#isBroken;
    } catch {
      return false;
    }
  }

  #query(sql: string, values?: readonly unknown[], name?: string): Promise<pg.QueryResult> {
    const query: pg.QueryConfig = { text: sql };
    if (values !== undefined) query.values = [...values];
    if (name !== undefined) query.name = name;
    return this.#inTurn(sql, () => this.#send(query));
  }

  get #client(): pg.PoolClient {
    return this.#connection.client;
  }

  /**
   * What must be said before it goes along with the statement, so a transaction costs no round trip to begin. A
   * connection that died while it lay idle shows that only now: nothing has happened by then, so another is taken.
   */
  async #send(query: pg.QueryConfig): Promise<pg.QueryResult> {
    for (let left = 2; ; left -= 1) {
      const before = this.#unsaid();
      const isFirst = !this.#begun;
      const preceded = new PrecededQuery(before, query);
      this.#begun = true;
      this.#toldTenantId = this.tenantId;
      try {
        return await preceded.runOn(this.#client);
      } catch (error) {
        this.#isBroken = !preceded.isReached;
        const mayRetry = isFirst && !preceded.isReached && isLostServer(error) && left > 0;
        if (!mayRetry || this.#interruption.signal.aborted) throw error;
        this.#begun = false;
        this.#isBroken = false;
        await this.#connection.replace();
      }
    }
  }

  #unsaid(): Statement[] {
    const tenant = { name: 'tenant', text: setTenant, values: [this.tenantId ?? ''] };
    if (this.#begun) return this.tenantId === this.#toldTenantId ? [] : [tenant];
    const { isolation = 'read committed', readOnly = false } = this.#options;
    const text = `begin isolation level ${isolation} ${readOnly ? 'read only' : 'read write'}`;
    const begin = { name: text, text };
    const remainingMs = this.#interruption.remainingMs();
    if (remainingMs === undefined) return [begin, tenant];
    const timeout = String(Math.max(1, Math.ceil(remainingMs)));
    const values = [...tenant.values, timeout];
    return [begin, { name: 'tenant and timeout', text: setTenantAndTimeout, values }];
  }

  /** Statements run one after the other, also when the work starts several at once. */
  #inTurn<T>(sql: string, statement: () => Promise<T>): Promise<T> {
    // A forgotten await must never reach a connection that serves another tenant by now.
    if (this.#over) return Promise.reject(new Error('This transaction is over'));
    this.#waiting += 1;
    const mine = this.#last.then(async () => {
      try {
        if (this.#over) throw new Error('This transaction is over');
        if (this.#interruption.signal.aborted) throw cancelled();
        return await this.#metrics.observe(sql, () => this.#guarded(statement, true));
      } catch (error) {
        this.#failure ??= this.#named(error);
        throw this.#named(error);
      } finally {
        this.#waiting -= 1;
      }
    });
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  /** Runs one statement; an interruption cancels it in the server and, if that does not help, cuts the connection. */
  async #guarded<T>(statement: () => Promise<T>, mayCancel: boolean): Promise<T> {
    const { signal } = this.#interruption;
    let ended = false;
    let cancelling: Promise<void> | undefined;
    let cut: NodeJS.Timeout | undefined;
    const interrupt = () => {
      if (mayCancel) cancelling = cancelUntil(() => ended, this.#client);
      cut = setTimeout(() => this.#client.connection.stream.destroy(), cancelGraceMs);
    };
    if (signal.aborted) interrupt();
    else signal.addEventListener('abort', interrupt, { once: true });
    try {
      return await statement();
    } finally {
      ended = true;
      signal.removeEventListener('abort', interrupt);
      clearTimeout(cut);
      await cancelling;
    }
  }

  #named(error: unknown): unknown {
    if (isCancellation(error)) return cancelled(error);
    if (!isLostServer(error)) return error;
    return this.#interruption.signal.aborted ? cancelled(error) : unavailable(error, 'nothing-written');
  }
}

export function checkTenantId(tenantId: string): void {
  if (!uuid.test(tenantId)) throw new TypeError('A tenant id is a UUID');
}
