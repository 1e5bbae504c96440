import { asAdministrator, type ServerAddress } from '@marimo/postgres';
import type { EntryInput } from './entries.ts';

type Client = Parameters<Parameters<typeof asAdministrator>[1]>[0];

/**
 * The same rows into tables with the same columns and primary keys and nothing else: no rules, no numbers, no balances,
 * no events, no HTTP. What the database could do if the ledger promised nothing.
 */
export async function makePlainTables(server: ServerAddress): Promise<void> {
  await asAdministrator(server, (client) =>
    client.query(`
      create schema plain;
      create table plain.entry (entry_id uuid primary key, posting_date date, description text);
      create table plain.line (entry_id uuid, line_number int, account_code text, posting_date date,
        currency text, debit_minor bigint, credit_minor bigint, primary key (entry_id, line_number))`),
  );
}

/** One transaction, waiting for the disk at its commit as the ledger's does. */
export async function insertPlainly(client: Client, entries: readonly EntryInput[]): Promise<void> {
  const lines = entries.flatMap(({ entryId, postingDate, lines: own }) =>
    own.map((line, index) => ({ ...line, entryId, postingDate, index })),
  );
  const minor = (line: (typeof lines)[number], side: string) =>
    line.side === side ? line.amount.amount.replace('.', '') : '0';
  await client.query('begin');
  await client.query({
    name: 'plain_entries',
    text: 'insert into plain.entry select * from unnest($1::uuid[], $2::date[], $3::text[])',
    values: [
      entries.map(({ entryId }) => entryId),
      entries.map(({ postingDate }) => postingDate),
      entries.map(({ description }) => description),
    ],
  });
  await client.query({
    name: 'plain_lines',
    text: `insert into plain.line
      select * from unnest($1::uuid[], $2::int[], $3::text[], $4::date[], $5::text[], $6::bigint[], $7::bigint[])`,
    values: [
      lines.map(({ entryId }) => entryId),
      lines.map(({ index }) => index + 1),
      lines.map(({ accountCode }) => accountCode),
      lines.map(({ postingDate }) => postingDate),
      lines.map(({ amount }) => amount.currency),
      lines.map((line) => minor(line, 'debit')),
      lines.map((line) => minor(line, 'credit')),
    ],
  });
  await client.query('commit');
}
