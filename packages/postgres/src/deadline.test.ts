import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { useDatabase } from '@marimo/testing/database';
import type { Database } from './database.ts';
import { StatementCancelled } from './failures.ts';

const notes = new URL('../test/notes', import.meta.url);
const test = useDatabase({ schema: 'notes', folders: [notes], maxConnections: 1 });
const tenant = randomUUID();
const sleeping = 'select pg_sleep(20)';

const activity = () =>
  test.sql<{ state: string; query: string }>(
    "select state, query from pg_stat_activity where usename = 'notes_app' and datname = current_database()",
  );

async function untilSleeping(): Promise<void> {
  while (!(await activity()).some(({ state, query }) => state === 'active' && query === sleeping))
    await pause(5);
}

async function expectUsable(database: Database): Promise<void> {
  expect((await activity()).filter(({ state }) => state !== 'idle')).toEqual([]);
  expect(await database.inTenant(tenant, (tx) => tx.first('select 1 as one'))).toEqual({ one: 1 });
}

describe('time that runs out', () => {
  it('stops the statement in the server at the deadline', async () => {
    const late = test.database.inTenant(tenant, (tx) => tx.run(sleeping), { deadlineAt: Date.now() + 150 });
    await expect(late).rejects.toThrow(StatementCancelled);
    await expectUsable(test.database);
  });

  it('is told to the server too, in case our request to cancel is lost', async () => {
    const deadlineAt = Date.now() + 400;
    const late = test.database.inTenant(
      tenant,
      async (tx) => {
        const [set] = await tx.rows<{ statement_timeout: string }>('show statement_timeout');
        return set?.statement_timeout;
      },
      { deadlineAt },
    );
    expect(await late).toMatch(/^[1-9]\d{0,2}ms$/);
    expect(await test.database.inTenant(tenant, (tx) => tx.first('show statement_timeout'))).toEqual({
      statement_timeout: '0',
    });
  });

  it('stops the statement when the caller goes away', async () => {
    const caller = new AbortController();
    const gone = test.database.inTenant(tenant, (tx) => tx.run(sleeping), { signal: caller.signal });
    await untilSleeping();
    caller.abort();
    await expect(gone).rejects.toThrow(StatementCancelled);
    await expectUsable(test.database);
  });

  it('is not spent on a statement beside one that has failed', async () => {
    const failed = test.database.inTenant(tenant, (tx) =>
      Promise.all([tx.run('select pg_sleep(60)'), tx.run('select 1'), Promise.reject(new Error('no'))]),
    );
    await expect(failed).rejects.toThrow('no');
    await expectUsable(test.database);
  });

  it('keeps nothing that was written before', async () => {
    const caller = new AbortController();
    const gone = test.database.inTenant(
      tenant,
      async (tx) => {
        await tx.run('insert into note (tenant_id, note_id, body) values ($1, 1, $2)', [tenant, 'x']);
        caller.abort();
      },
      { signal: caller.signal },
    );
    await expect(gone).rejects.toThrow(StatementCancelled);
    expect(await test.rows('note')).toEqual([]);
  });

  it('does not begin when the time is over already', async () => {
    const work = jest.fn();
    const late = test.database.inTenant(tenant, work, { deadlineAt: Date.now() - 1 });
    await expect(late).rejects.toThrow(StatementCancelled);
    const left = test.database.inTenant(tenant, work, { signal: AbortSignal.abort() });
    await expect(left).rejects.toThrow(StatementCancelled);
    expect(work).not.toHaveBeenCalled();
  });

  it('ends the wait for a connection too, and the connection is not lost by it', async () => {
    const release = Promise.withResolvers<void>();
    const holding = test.database.inTenant(tenant, () => release.promise);
    const waiting = test.database.inTenant(tenant, async () => 1, { deadlineAt: Date.now() + 50 });
    await expect(waiting).rejects.toThrow(StatementCancelled);
    release.resolve();
    await holding;
    await expectUsable(test.database);
  });
});
