import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { useDatabase } from '@marimo/testing/database';
import type { Transaction } from './database.ts';
import { violatedConstraint } from './failures.ts';

const notes = new URL('../test/notes', import.meta.url);
const test = useDatabase({ schema: 'notes', folders: [notes] });
const tenant = randomUUID();

const addNote = (tx: Transaction, noteId: number, body = 'x') =>
  tx.run('insert into note (tenant_id, note_id, body) values ($1, $2, $3)', [tx.tenantId, noteId, body]);
const addTag = (tx: Transaction, tagId: number, noteId: number) =>
  tx.run('insert into tag values ($1, $2, $3, $4)', [tx.tenantId, tagId, noteId, `label ${tagId}`]);

beforeEach(() => test.sql('truncate note cascade'));

describe('a transaction', () => {
  it('keeps everything when the work ends well', async () => {
    const answer = await test.database.inTenant(tenant, async (tx) => {
      await addNote(tx, 1);
      await addNote(tx, 2);
      return 'done';
    });
    expect(answer).toBe('done');
    expect(await test.rows('note')).toHaveLength(2);
  });

  it('keeps nothing when the work throws, and throws the same', async () => {
    const reason = new Error('the goods are not there');
    const failed = test.database.inTenant(tenant, async (tx) => {
      await addNote(tx, 1);
      throw reason;
    });
    await expect(failed).rejects.toBe(reason);
    expect(await test.rows('note')).toEqual([]);
  });

  it('does not pass for done when a failed statement was swallowed by the work', async () => {
    const swallowed = test.database.inTenant(tenant, async (tx) => {
      await addNote(tx, 1);
      await addNote(tx, 1).catch(() => undefined);
    });
    await expect(swallowed).rejects.toThrow('duplicate key');
    expect(await test.rows('note')).toEqual([]);
  });

  it('refuses to commit while a statement that nobody waits for is still running', async () => {
    const forgotten = test.database.inTenant(tenant, async (tx) => {
      addNote(tx, 1).catch(() => undefined);
    });
    await expect(forgotten).rejects.toThrow('still running');
    expect(await test.rows('note')).toEqual([]);
  });

  it('takes no statement once it is over, whoever uses the connection by then', async () => {
    let leaked: Transaction | undefined;
    await test.database.inTenant(tenant, async (tx) => {
      leaked = tx;
    });
    await expect(addNote(leaked as Transaction, 1)).rejects.toThrow('This transaction is over');
  });

  it('runs statements that are started together one after the other', async () => {
    const sums = await test.database.inTenant(tenant, (tx) =>
      Promise.all([1, 2, 3].map((n) => tx.first<{ n: number }>('select $1::int as n', [n]))),
    );
    expect(sums).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it('gives rows, the first row, or how many were written', async () => {
    await test.database.inTenant(tenant, async (tx) => {
      expect(await addNote(tx, 1)).toBe(1);
      expect(await tx.first('select note_id from note where note_id = $1', [7])).toBeUndefined();
      expect(await tx.first('select note_id from note', [], 'the-note')).toEqual({ note_id: 1 });
      expect(await tx.rows('select note_id from note', [], 'the-note')).toEqual([{ note_id: 1 }]);
    });
  });

  it('writes nothing when it is read only', async () => {
    const wrote = test.database.inTenant(tenant, (tx) => addNote(tx, 1), { readOnly: true });
    await expect(wrote).rejects.toThrow('read-only transaction');
  });

  it('names the constraint that was violated, also one that waits for the commit', async () => {
    const violated = (work: (tx: Transaction) => Promise<unknown>) =>
      test.database.inTenant(tenant, work).then(() => 'nothing', violatedConstraint);
    expect(await violated((tx) => addNote(tx, 1).then(() => addNote(tx, 1)))).toBe('note_pkey');
    expect(await violated((tx) => addTag(tx, 1, 404))).toBe('tag_tenant_id_note_id_fkey');
    expect(violatedConstraint(new Error('something else'))).toBeUndefined();
  });
});

describe('what is to happen after the commit', () => {
  it('happens once the rows can be seen by others', async () => {
    const seen = Promise.withResolvers<number>();
    await test.database.inTenant(tenant, async (tx) => {
      await addNote(tx, 1);
      tx.afterCommit(() => void test.rows('note').then((rows) => seen.resolve(rows.length)));
      await pause(20);
    });
    expect(await seen.promise).toBe(1);
  });

  it.each([
    ['the work throws', (_tx: Transaction) => Promise.reject(new Error('no'))],
    ['the commit is refused', (tx: Transaction) => addTag(tx, 1, 404)],
  ])('never happens when %s', async (_, work) => {
    const hook = jest.fn();
    const failed = test.database.inTenant(tenant, async (tx) => {
      tx.afterCommit(hook);
      await work(tx);
    });
    await expect(failed).rejects.toThrow();
    expect(hook).not.toHaveBeenCalled();
  });

  it('cannot turn a committed transaction into a failure', async () => {
    const done = test.database.inTenant(tenant, async (tx) => {
      tx.afterCommit(() => {
        throw new Error('the hook is broken');
      });
      return addNote(tx, 1);
    });
    expect(await done).toBe(1);
  });
});

describe('columns', () => {
  it('arrive without loss: big numbers as bigint, decimals and days as text', async () => {
    const row = await test.database.withoutTenant((tx) =>
      tx.first(`select 9007199254740993::bigint as minor, 1.10::numeric as rate, date '2024-02-29' as day,
                       array[1, null]::bigint[] as minors, array['2024-02-29']::date[] as days,
                       timestamp '2024-02-29 23:30' as local, '2024-02-29T23:30:00Z'::timestamptz as instant,
                       count(*) as counted`),
    );
    expect(row).toEqual({
      minor: 9007199254740993n,
      rate: '1.10',
      day: '2024-02-29',
      minors: [1n, null],
      days: ['2024-02-29'],
      local: '2024-02-29 23:30:00',
      instant: new Date('2024-02-29T23:30:00Z'),
      counted: 1n,
    });
  });
});
