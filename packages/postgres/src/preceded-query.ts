import pg from 'pg';

export interface Statement {
  /** Of its prepared statement. */
  readonly name: string;
  readonly text: string;
  readonly values?: string[];
}

/** What pg's own query is inside, as far as it is used here; its types show only the outside. */
interface QueryInside {
  name: string | undefined;
  submit(connection: pg.Connection): Error | null;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: pg.Connection): void;
  handleError(error: unknown, connection: pg.Connection): void;
}
const Query = pg.Query as unknown as new (config: pg.QueryConfig & { queryMode: 'extended' }) => QueryInside;

/** Names of what precedes: pg does not know of them. */
const prepared = new WeakMap<pg.Connection, Set<string>>();

function preparedOn(connection: pg.Connection): Set<string> {
  const names = prepared.get(connection) ?? new Set();
  prepared.set(connection, names);
  return names;
}

/**
 * A query with others before it, all in one round trip. They end in one Sync, so when one of them fails the server
 * skips the rest: a statement never runs outside the transaction, or the tenant, that it was to run in. That is why
 * this is not pg's own pipelining, where each query has a Sync of its own.
 */
export class PrecededQuery extends Query {
  readonly #before: readonly Statement[];
  #answered = 0;
  #ownName: string | undefined;

  constructor(before: readonly Statement[], config: pg.QueryConfig) {
    super({ ...config, queryMode: 'extended' });
    this.#before = before;
    this.#ownName = this.name;
  }

  runOn(client: pg.PoolClient): Promise<pg.QueryResult> {
    return new Promise((resolve, reject) => {
      const query = Object.assign(this, {
        callback: (error: unknown, result: pg.QueryResult) => (error ? reject(error) : resolve(result)),
      });
      client.query(query as pg.Submittable);
    });
  }

  /** Whether all that precedes it has been done. After a failure before that the connection is of no more use. */
  get isReached(): boolean {
    return this.#answered === this.#before.length;
  }

  override submit(connection: pg.Connection): Error | null {
    // One write: a message each would cost a system call or, corked, a vector that costs Node half as much again.
    const messages: Buffer[] = [];
    const sending = connection as unknown as { _send?: (message: Buffer) => void };
    sending._send = (message) => messages.push(message);
    try {
      for (const { name, text, values = [] } of this.#before) {
        if (!preparedOn(connection).has(name)) connection.parse({ text, name, types: [] }, false);
        connection.bind({ statement: name, values } as unknown as pg.BindConfig, false);
        connection.execute({}, false);
      }
      return super.submit(connection);
    } finally {
      delete sending._send; // the method of its class is there again
      if (connection.stream.writable) connection.stream.write(Buffer.concat(messages));
      // pg takes a statement for prepared when the first answer to a parse comes, which is not ours yet.
      if (this.#before.length > 0) this.name = undefined;
    }
  }

  override handleDataRow(message: unknown): void {
    if (this.isReached) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: pg.Connection): void {
    if (this.isReached) {
      super.handleCommandComplete(message, connection);
    } else {
      preparedOn(connection).add(this.#before[this.#answered]?.name ?? '');
      this.#answered += 1;
      if (this.isReached) this.name = this.#ownName;
    }
  }

  override handleError(error: unknown, connection: pg.Connection): void {
    const { submittedNamedStatements } = connection as unknown as {
      submittedNamedStatements: Record<string, string>;
    };
    if (this.#ownName !== undefined) delete submittedNamedStatements[this.#ownName];
    super.handleError(error, connection);
  }
}
