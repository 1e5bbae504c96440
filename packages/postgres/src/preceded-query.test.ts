import { randomUUID } from 'node:crypto';
import { createMetrics } from '@marimo/observability';
import { useDatabase } from '@marimo/testing/database';
import type pg from 'pg';
import { asAdministrator } from './administrator.ts';
import { databaseMetrics } from './database-metrics.ts';
import { StatementCancelled } from './failures.ts';
import { PrecededQuery } from './preceded-query.ts';
import { OpenTransaction } from './transaction.ts';

const notes = new URL('../test/notes', import.meta.url);
const test = useDatabase({ schema: 'notes', folders: [notes], maxConnections: 1 });
const tenant = randomUUID();
const begin = { name: 'begin', text: 'begin' };
const failing = { name: 'failing', text: 'select 1 / $1::int', values: ['0'] };
const remember = { text: 'insert into notes.tenant_seen (tenant_id) values ($1)', values: [tenant] };
const named = { ...remember, name: 'remember' };

/** On a connection of its own; gives how many round trips the work took too. */
async function onConnection(work: (client: pg.PoolClient) => Promise<unknown>): Promise<number> {
  return asAdministrator(test.server, async (client) => {
    let trips = 0;
    client.connection.on('readyForQuery', () => (trips += 1));
    await work(client as unknown as pg.PoolClient);
    return trips;
  });
}

beforeEach(() => test.sql('truncate tenant_seen'));

describe('a query that others precede', () => {
  it('takes one round trip with them, and gives only its own rows', async () => {
    const trips = await onConnection(async (client) => {
      const before = [
        begin,
        { name: 'tenant', text: "select set_config('app.tenant_id', $1, true)", values: [tenant] },
      ];
      const own = { text: "select current_setting('app.tenant_id') as own, 7 as seven" };
      const { rows, rowCount } = await new PrecededQuery(before, own).runOn(client);
      expect([rows, rowCount]).toEqual([[{ own: tenant, seven: 7 }], 1]);
    });
    expect(trips).toBe(1);
  });

  it.each([[remember], [named]])(
    'does not run when one of them fails, and the connection goes on: %j',
    async (query) => {
      await onConnection(async (client) => {
        const broken = new PrecededQuery([failing], query);
        await expect(broken.runOn(client)).rejects.toThrow('division by zero');
        expect(broken.isReached).toBe(false);
        expect(await test.rows('tenant_seen')).toEqual([]);
        for (const before of [[{ name: 'nothing', text: 'select' }], []]) {
          await client.query('truncate notes.tenant_seen');
          expect((await new PrecededQuery(before, query).runOn(client)).rowCount).toBe(1);
        }
        await expect(client.query(query)).rejects.toThrow('duplicate key');
      });
    },
  );

  it('tells a failure of its own from one before it', async () => {
    await onConnection(async (client) => {
      const broken = new PrecededQuery([begin], { ...failing, name: 'broken' });
      await expect(broken.runOn(client)).rejects.toThrow('division by zero');
      expect(broken.isReached).toBe(true);
    });
  });
});

describe('the first statement of a transaction', () => {
  it('is stopped by the server itself when the time is over, should nobody cancel it', async () => {
    const { signal } = new AbortController(); // never fires: our request to cancel is lost
    const interruption = { signal, remainingMs: () => 50, dispose: () => undefined };
    await onConnection(async (client) => {
      const connection = { client, replace: async () => undefined, giveBack: () => undefined };
      const metrics = databaseMetrics(createMetrics('notes'));
      const tx = new OpenTransaction(connection, tenant, {}, interruption, metrics);
      await expect(tx.run('select pg_sleep(60)')).rejects.toThrow(StatementCancelled);
      expect(await tx.rollback()).toBe(true);
    });
  });
});
