import { randomUUID } from 'node:crypto';
import { useDatabase } from '@marimo/testing/database';
import { randomFrom, runSeed, tries } from '@marimo/testing/outside';
import type { Transaction } from './index.ts';

const notes = new URL('../test/notes', import.meta.url);
// Fewer connections than work at once: each goes from tenant to tenant all the time.
const test = useDatabase({ schema: 'notes', folders: [notes], maxConnections: 4 });

jest.setTimeout(600_000);

/** A hundred thousand take twenty seconds on an idle machine. */
const operations = tries(10_000, 100_000);
const next = randomFrom(runSeed);
const tenants = [randomUUID(), randomUUID()] as const;

interface Note {
  readonly tenant_id: string;
  readonly note_id: number;
}
let written = 0;
let ownSeen = 0;

const writing = async (tx: Transaction, tenant: string): Promise<number> => {
  written += 1;
  await tx.run('insert into note (tenant_id, note_id, body) values ($1, $2, $3)', [tenant, written, tenant]);
  return 0;
};
/** How many rows of others it saw, changed or took away: none, each time. */
const steps: readonly ((tx: Transaction, tenant: string, other: string) => Promise<number>)[] = [
  writing,
  async (tx, tenant) => {
    const seen = await tx.rows<Note>('select tenant_id, note_id from note order by random() limit 50');
    const foreign = seen.filter((row) => row.tenant_id !== tenant).length;
    ownSeen += seen.length - foreign;
    return foreign;
  },
  async (tx, _, other) => (await tx.rows('select from note where tenant_id = $1 limit 5', [other])).length,
  (tx, _, other) => tx.run('update note set body = $2 where tenant_id = $1', [other, 'mine']),
  (tx, _, other) => tx.run('delete from note where tenant_id = $1', [other]),
  async (tx) => {
    await tx.run('delete from note where note_id in (select note_id from note order by note_id limit 1)');
    return 0;
  },
  async (tx, tenant) => {
    await writing(tx, tenant);
    throw new Error('given up');
  },
  async (tx, _, other) => {
    await writing(tx, other); // refused by the row's policy, and the connection goes on to somebody else
    return 1;
  },
];

async function foreignRowsOf(operation: number): Promise<number> {
  const tenant = tenants[operation % 2] as string;
  const other = tenants[(operation + 1) % 2] as string;
  const place = next() % (steps.length + 1);
  const step = steps[place];
  if (step === undefined) {
    return test.database.withoutTenant(async (tx) => (await tx.rows('select from note limit 5')).length);
  }
  return test.database
    .inTenant(tenant, (tx) => step(tx, tenant, other))
    .catch((error: Error) => {
      if (/given up|row-level security/.test(error.message)) return 0;
      throw error;
    });
}

it('nobody sees or touches a row of another tenant, whatever happens at once on the same connections', async () => {
  let begun = 0;
  let foreign = 0;
  const worker = async () => {
    for (let operation = begun++; operation < operations; operation = begun++) {
      foreign += await foreignRowsOf(operation);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  expect(foreign).toBe(0);
  expect(ownSeen).toBeGreaterThan(1_000);
  const rows = (await test.rows('note')) as unknown as { tenant_id: string; body: string }[];
  expect(rows.filter(({ tenant_id: tenant, body }) => tenant !== body)).toEqual([]);
});
