import { randomUUID } from 'node:crypto';
import { useDatabase } from '@marimo/testing/database';
import type { Transaction } from './database.ts';
import { DatabaseUnavailable } from './failures.ts';

const notes = new URL('../test/notes', import.meta.url);
const test = useDatabase({ schema: 'notes', folders: [notes] });
const tenant = randomUUID();

beforeEach(async () => {
  await test.sql('truncate note cascade');
  await test.sql("insert into note (tenant_id, note_id, body) values ($1, 1, ''), ($1, 2, '')", [tenant]);
});

const raise = (tx: Transaction, noteId: number) =>
  tx.run('update note set minor = minor + 1 where note_id = $1', [noteId]);

/** Lets two transactions pass only together, the first time round. */
function meeting() {
  let arrived = 0;
  const both = Promise.withResolvers<void>();
  return async () => {
    arrived += 1;
    if (arrived === 2) both.resolve();
    await both.promise;
  };
}

describe('two transactions in each other’s way', () => {
  it('are both done in the end when they deadlock', async () => {
    const met = meeting();
    let begun = 0;
    const raiseBoth = (first: number, second: number) =>
      test.database.inTenant(tenant, async (tx) => {
        begun += 1;
        await raise(tx, first);
        await met();
        await raise(tx, second);
      });
    await Promise.all([raiseBoth(1, 2), raiseBoth(2, 1)]);
    expect(begun).toBe(3);
    expect((await test.rows<{ minor: bigint }>('note')).map(({ minor }) => minor)).toEqual([2n, 2n]);
  });

  it('are both done in the end when they cannot be put in an order', async () => {
    const met = meeting();
    let begun = 0;
    const addOneMoreThanThereAre = (noteId: number) =>
      test.database.inTenant(
        tenant,
        async (tx) => {
          begun += 1;
          const row = await tx.first<{ count: bigint }>('select count(*) from note');
          await met();
          await tx.run('insert into note (tenant_id, note_id, body, minor) values ($1, $2, $3, $4)', [
            tenant,
            noteId,
            '',
            row?.count,
          ]);
        },
        { isolation: 'serializable' },
      );
    await Promise.all([addOneMoreThanThereAre(3), addOneMoreThanThereAre(4)]);
    expect(begun).toBe(3);
    const counts = (await test.rows<{ minor: bigint }>('note')).map(({ minor }) => minor);
    expect(counts.toSorted((a, b) => Number(a - b))).toEqual([0n, 0n, 2n, 3n]);
  });

  it('are given up after the third try, with a refusal that says to try later', async () => {
    let begun = 0;
    const hopeless = test.database.inTenant(tenant, async (tx) => {
      begun += 1;
      await tx.run("do $$ begin raise exception 'meant' using errcode = '40001'; end $$");
    });
    await expect(hopeless).rejects.toMatchObject({
      facts: { outcome: 'nothing-written' },
      retryAfterSeconds: 1,
    });
    await expect(hopeless).rejects.toThrow(DatabaseUnavailable);
    expect(begun).toBe(3);
  });

  it('are not tried again for any other failure', async () => {
    let begun = 0;
    const wrong = test.database.inTenant(tenant, async (tx) => {
      begun += 1;
      await tx.run('insert into note (tenant_id, note_id, body) values ($1, 1, $2)', [tenant, '']);
    });
    await expect(wrong).rejects.toThrow('duplicate key');
    expect(begun).toBe(1);
  });

  it('run their hooks once, however often they were tried', async () => {
    const hook = jest.fn();
    let begun = 0;
    await test.database.inTenant(tenant, async (tx) => {
      tx.afterCommit(hook);
      begun += 1;
      if (begun < 3) await tx.run("do $$ begin raise exception 'meant' using errcode = '40P01'; end $$");
    });
    expect(hook).toHaveBeenCalledTimes(1);
  });
});
