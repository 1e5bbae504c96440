import { randomUUID } from 'node:crypto';
import { asAdministrator } from '@marimo/postgres';
import { testDatabase, useDatabase } from './database.ts';

const notes = new URL('../../postgres/test/notes/', import.meta.url);
const elsewhere = new URL('../../postgres/test/elsewhere/', import.meta.url);
const tenant = randomUUID();
const databases = async (like: string) =>
  (await test.sql('select datname from pg_database where datname like $1', [like])).length;

const test = useDatabase({ schema: 'notes', folders: [notes] });
const addNote = () =>
  test.database.inTenant(tenant, (tx) =>
    tx.run('insert into note (tenant_id, note_id, body) values ($1, 1, $2)', [tenant, 'x']),
  );

describe('a test database', () => {
  it('is empty, migrated, and not the one of another test', async () => {
    const other = await testDatabase({ schema: 'notes', folders: [notes] });
    await addNote();
    expect(await test.rows('note')).toHaveLength(1);
    expect(await other.rows('note')).toEqual([]);
    await other.drop();
  });

  it('is gone after the test, with its connections', async () => {
    const other = await testDatabase({ schema: 'notes', folders: [notes] });
    await other.database.ping();
    await other.open('notes', 'relay').ping();
    await other.drop();
    expect(await databases(other.server.database)).toBe(0);
  });

  it('comes from a template that is migrated once, also when two want it first', async () => {
    // A set of schemas that no other file asks for.
    const options = {
      schema: 'elsewhere',
      folders: [elsewhere],
      beside: [{ schema: 'beside', folders: [notes] }],
    };
    const both = await Promise.all([testDatabase(options), testDatabase(options)]);
    const migratedAt = both.map((each) =>
      each.sql('select file, applied_at from marimo.schema_migration order by 1'),
    );
    const [first, second] = await Promise.all(migratedAt);
    expect(first).toHaveLength(2);
    expect(first).toEqual(second);
    const beside = both[0].open('beside', 'app');
    expect(await beside.inTenant(tenant, (tx) => tx.rows('select * from note'))).toEqual([]);
    for (const each of both) await each.drop();
  });

  it('can be asked as the administrator, who sees every tenant', async () => {
    await test.sql('insert into note (tenant_id, note_id, body) values ($1, 7, $2)', [
      randomUUID(),
      'planted',
    ]);
    expect(await test.rows('note')).toContainEqual(expect.objectContaining({ body: 'planted' }));
    const who = await asAdministrator(test.server, (client) =>
      client.query('select current_database()::text as name'),
    );
    expect(who.rows).toEqual([{ name: test.server.database }]);
  });
});
