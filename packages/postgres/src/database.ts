/** A transaction in progress. SQL lives in `store.ts` files, lower case, `$1` parameters only. */
export interface Transaction {
  /** Null in a transaction that belongs to no tenant: it sees only tables declared global. */
  readonly tenantId: string | null;
  /** All rows. `name` makes it a prepared statement: for the hot ones. */
  rows<Row>(sql: string, values?: readonly unknown[], name?: string): Promise<Row[]>;
  /** The first row, or undefined. */
  first<Row>(sql: string, values?: readonly unknown[], name?: string): Promise<Row | undefined>;
  /** How many rows were written. */
  run(sql: string, values?: readonly unknown[], name?: string): Promise<number>;
  /**
   * Streams rows into a table with COPY; returns how many. Values as their PostgreSQL text, null for null. Some
   * milliseconds pass before the first row: for less than a thousand, insert from `unnest` instead.
   */
  copy(
    table: string,
    columns: readonly string[],
    rows: Iterable<readonly (string | null)[]> | AsyncIterable<readonly (string | null)[]>,
  ): Promise<number>;
  /** Sets the tenant for the rest of this transaction, and gives it as what it is from then on. */
  enterTenant(tenantId: string): Promise<TenantTransaction>;
  /**
   * Does the work in each of these tenants in turn, all in this one commit; for what concerns a person everywhere. Only
   * in a transaction without a tenant, and afterwards it has none again.
   */
  inEachTenant(
    tenantIds: readonly string[],
    work: (tenantId: string, tx: TenantTransaction) => Promise<void>,
  ): Promise<void>;
  /**
   * Runs the work; where it throws, what it wrote is undone and the transaction can go on. One at a time: an attempt
   * within an attempt is fine, two side by side are not.
   */
  attempt<R>(work: () => Promise<R>): Promise<R>;
  /** Runs once the transaction has committed; never when it is rolled back. Must not throw. */
  afterCommit(hook: () => void): void;
}

/** A transaction that sees one tenant; what needs one takes this type. */
export interface TenantTransaction extends Transaction {
  readonly tenantId: string;
}

export interface TransactionOptions {
  /** When it fires, running SQL is cancelled in the server and the transaction rolled back. */
  readonly signal?: AbortSignal;
  /** Milliseconds since the epoch; becomes the statement timeout, so the server gives up by itself. */
  readonly deadlineAt?: number;
  readonly readOnly?: boolean;
  /** Read-only work that may see data some seconds old; goes to the replica where there is one. */
  readonly mayBeStale?: boolean;
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
}

/** The database as one service sees it: its own schema, its own role, no way around row-level security. */
export interface Database {
  readonly schema: string;
  /**
   * Runs the work in one transaction that sees one tenant. Serialisation failures and deadlocks are tried again,
   * up to three times in all, so the work must have no effect outside the transaction.
   */
  inTenant<T>(
    tenantId: string,
    work: (tx: TenantTransaction) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;
  /** The same without a tenant, for global tables only. */
  withoutTenant<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Resolves when the database answers; rejects otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
