import { randomUUID } from 'node:crypto';
import { useDatabase } from '@marimo/testing/database';

const notes = new URL('../test/notes', import.meta.url);
const test = useDatabase({ schema: 'notes', folders: [notes] });
const columns = ['tenant_id', 'note_id', 'body'];

describe('copying rows into a table', () => {
  it('writes many rows at once and says how many', async () => {
    const tenant = randomUUID();
    async function* rows() {
      for (let noteId = 1; noteId <= 20_000; noteId += 1) yield [tenant, String(noteId), `note ${noteId}`];
    }
    const copied = await test.database.inTenant(tenant, (tx) => tx.copy('note', columns, rows()));
    expect(copied).toBe(20_000);
    const [last] = await test.sql<{ body: string }>('select body from note where note_id = 20000');
    expect(last?.body).toBe('note 20000');
  });

  it('keeps every character, and defaults for columns that are not named', async () => {
    const tenant = randomUUID();
    const bodies = ['tab\tnewline\ncarriage\r', 'back\\slash \\N \\.', '', 'Счёт № 7 — “ё” 🧾', '\\.'];
    await test.database.inTenant(tenant, (tx) =>
      tx.copy(
        'note',
        columns,
        bodies.map((body, index) => [tenant, String(index), body]),
      ),
    );
    const read = await test.database.inTenant(tenant, (tx) =>
      tx.rows('select body, minor, written from note order by note_id'),
    );
    expect(read).toEqual(bodies.map((body) => ({ body, minor: 0n, written: '2024-02-29' })));
  });

  it('takes null for null', async () => {
    const tenant = randomUUID();
    const withNull = test.database.inTenant(tenant, (tx) => tx.copy('note', columns, [[tenant, '1', null]]));
    await expect(withNull).rejects.toThrow('null value in column "body"');
  });

  it('can be repeated in one transaction, among other statements', async () => {
    const tenant = randomUUID();
    await test.database.inTenant(tenant, async (tx) => {
      await tx.copy('note', columns, [[tenant, '1', 'x']]);
      await tx.run('update note set body = $1', ['y']);
      await tx.copy('note', columns, [[tenant, '2', 'x']]);
      expect(await tx.copy('note', columns, [])).toBe(0);
      expect(await tx.rows('select body from note order by note_id')).toEqual([{ body: 'y' }, { body: 'x' }]);
    });
  });

  it('is bound to the tenant like any statement, and one bad row keeps all out', async () => {
    const [tenant, other] = [randomUUID(), randomUUID()];
    const rows = [
      [tenant, '1', 'mine'],
      [other, '2', 'not mine'],
    ];
    const foreign = test.database.inTenant(tenant, (tx) => tx.copy('note', columns, rows));
    await expect(foreign).rejects.toThrow('row-level security');
    expect((await test.rows('note')).filter((row) => row['tenant_id'] === tenant)).toEqual([]);
  });

  it('stops when the source of the rows fails, and the connection stays usable', async () => {
    const tenant = randomUUID();
    async function* rows() {
      yield [tenant, '1', 'x'];
      throw new Error('the file is cut off');
    }
    const broken = test.database.inTenant(tenant, (tx) => tx.copy('note', columns, rows()));
    await expect(broken).rejects.toThrow('the file is cut off');
    expect(await test.database.inTenant(tenant, (tx) => tx.rows('select * from note'))).toEqual([]);
  });
});
