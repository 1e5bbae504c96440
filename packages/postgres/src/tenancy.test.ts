import { randomUUID } from 'node:crypto';
import { useDatabase } from '@marimo/testing/database';
import fc from 'fast-check';

const notes = new URL('../test/notes', import.meta.url);
// One connection: what one transaction leaves behind on it is what the next one would find.
const test = useDatabase({ schema: 'notes', folders: [notes], maxConnections: 1 });

describe('tenants on one connection', () => {
  it('see their own rows and nobody else’s, in whatever order they come', async () => {
    const tenants = [randomUUID(), randomUUID()] as const;
    const expected = new Map<string, number[]>(tenants.map((tenant) => [tenant, []]));
    let next = 0;
    const step = fc.record({ tenant: fc.constantFrom(...tenants), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        for (const { tenant, fails } of steps) {
          const noteId = ++next;
          const wrote = test.database.inTenant(tenant, async (tx) => {
            await tx.run('insert into note (tenant_id, note_id, body) values ($1, $2, $3)', [
              tenant,
              noteId,
              'x',
            ]);
            if (fails) throw new Error('given up');
          });
          if (fails) await expect(wrote).rejects.toThrow('given up');
          else expected.get(tenant)?.push(await wrote.then(() => noteId));
        }
        for (const tenant of tenants) {
          const seen = await test.database.inTenant(tenant, (tx) =>
            tx.rows<{ note_id: number }>('select note_id from note order by note_id'),
          );
          expect(seen.map((row) => row.note_id)).toEqual(expected.get(tenant));
        }
        expect(await test.database.withoutTenant((tx) => tx.rows('select * from note'))).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  it('cannot write a row for another tenant', async () => {
    const [mine, other] = [randomUUID(), randomUUID()];
    const foreign = test.database.inTenant(mine, (tx) =>
      tx.run('insert into note (tenant_id, note_id, body) values ($1, 1, $2)', [other, 'x']),
    );
    await expect(foreign).rejects.toThrow('row-level security');
    expect((await test.rows('note')).filter((row) => row['tenant_id'] === other)).toEqual([]);
  });

  it('cannot move a row of theirs to another tenant, nor touch a foreign one', async () => {
    const [mine, other] = [randomUUID(), randomUUID()];
    await test.database.inTenant(mine, (tx) =>
      tx.run('insert into note (tenant_id, note_id, body) values ($1, 1, $2)', [mine, 'x']),
    );
    const moved = test.database.inTenant(mine, (tx) => tx.run('update note set tenant_id = $1', [other]));
    await expect(moved).rejects.toThrow('row-level security');
    expect(await test.database.inTenant(other, (tx) => tx.run('delete from note'))).toBe(0);
  });

  it('cannot empty a table, which policies would not stop', async () => {
    const emptied = test.database.inTenant(randomUUID(), (tx) => tx.run('truncate note'));
    await expect(emptied).rejects.toThrow('permission denied');
  });

  it('are named by UUIDs only, before any SQL is sent', async () => {
    const injected = test.database.inTenant("x', true); drop table note; --", async () => 1);
    await expect(injected).rejects.toThrow('A tenant id is a UUID');
  });
});

describe('a transaction without a tenant', () => {
  it('may work in one tenant after the other, sees each alone, and belongs to none again', async () => {
    const tenants = [randomUUID(), randomUUID()];
    const seen: unknown[] = [];
    await test.database.withoutTenant(async (tx) => {
      await tx.inEachTenant(tenants, async (tenant, inside) => {
        expect(inside.tenantId).toBe(tenant);
        await tx.run('insert into note (tenant_id, note_id, body) values ($1, 1, $2)', [
          tenant,
          'everywhere',
        ]);
        seen.push(await tx.rows('select tenant_id from note'));
      });
      expect(tx.tenantId).toBeNull();
      seen.push(await tx.rows('select tenant_id from note'));
    });
    expect(seen).toEqual([[{ tenant_id: tenants[0] }], [{ tenant_id: tenants[1] }], []]);
  });

  it('may enter the tenant it has just made, once', async () => {
    const tenant = randomUUID();
    await test.database.withoutTenant(async (tx) => {
      await tx.run('insert into tenant_seen (tenant_id) values ($1)', [tenant]);
      expect((await tx.enterTenant(tenant)).tenantId).toBe(tenant);
      await tx.run('insert into note (tenant_id, note_id, body) values ($1, 1, $2)', [tenant, 'first']);
      await expect(tx.enterTenant(randomUUID())).rejects.toThrow('already belongs to a tenant');
    });
    expect(await test.database.inTenant(tenant, (tx) => tx.rows('select body from note'))).toEqual([
      { body: 'first' },
    ]);
  });
});

describe('the relay', () => {
  it('may do nothing that no migration gave it', async () => {
    await expect(test.relay.withoutTenant((tx) => tx.rows('select * from note'))).rejects.toThrow(
      'permission denied',
    );
  });
});
