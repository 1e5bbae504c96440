import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@marimo/contracts';
import type { AnyRecord, RecordDeclaration } from '@marimo/contracts/records';
import { createOutbox } from '@marimo/messaging';
import { createLog, createMetrics } from '@marimo/observability';
import { asAdministrator, type Database, migrate, openDatabase, startEmbeddedServer } from '@marimo/postgres';
import { exportOf, importRecords, openRecordFile, recordsOf, referredBy, ZoneClock } from '@marimo/records';
import { kitMigrations } from '@marimo/service-kit';
import { insertManyTools, toolService, tools } from '@marimo/testing/records';
import { secondsOf } from './ledger/entries.ts';
import type { Result } from './result.ts';

const exported = 200_000;
const imported = 10_000;
const service = 'config';
const passwords = { app: 'bench', relay: 'bench' };
const log = createLog({ service, level: 'warn' });
const tenantId = newId();
const record = tools.record as unknown as AnyRecord;
const clock = new ZoneClock('Europe/Moscow');
const author = { userId: newId(), at: new Date() };

/** Files of a record with twenty fields and lines, beside the same rows by COPY and by one insert. */
export async function run(): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'marimo-bench-records-'));
  const { server, stop } = await startEmbeddedServer({ directory, log });
  try {
    const folders = [
      ...kitMigrations,
      ...(toolService.migrations === undefined ? [] : [toolService.migrations]),
    ];
    await migrate(server, { schema: service, folders, passwords, log });
    const login = { schema: service, role: 'app', password: passwords.app } as const;
    const database = openDatabase({ server, ...login, log, metrics: createMetrics(service) });
    const rows: Result['rows'][number][] = [];
    await asAdministrator(server, async (client) => {
      await client.query(`set search_path to ${service}, public`);
      const sql = async (text: string, values?: readonly unknown[]) =>
        (await client.query(text, values as never)).rows;
      await insertManyTools({ sql: sql as never }, { tools: exported, tenantIds: [tenantId] });
      const plain = await secondsOf(async () => {
        await client.query(
          `create temporary table copied as select to_jsonb(tool)::text from tool where tenant_id = '${tenantId}'`,
        );
      });
      for (const format of ['csv', 'xlsx', 'ndjson'] as const) {
        const before = process.memoryUsage().rss;
        const { seconds, mebibytes, peak } = await exportAs(database, format);
        rows.push({
          what: `export of ${exported} as ${format}`,
          'rows/s': Math.round(exported / seconds),
          MiB: Math.round(mebibytes),
          'more memory, MiB': Math.round((peak - before) / 2 ** 20),
          'of plain SQL': (plain / seconds).toFixed(2),
        });
      }
      await client.query('truncate tool cascade');
      const drafts = Array.from({ length: imported }, (_, place) => place);
      const insert = await secondsOf(() =>
        insertManyTools({ sql: sql as never }, { tools: imported, tenantIds: [newId()] }),
      );
      const file = [
        'Code,Name,Kind,Bought on,Pieces,Price,"Price, currency",Tags',
        ...drafts.map((n) => `T-${n},Drill ${n},power,2026-03-01,${1 + (n % 9)},${n}.50,RUB,blue`),
      ].join('\n');
      for (const what of ['import', 'the same file again']) {
        const seconds = await secondsOf(() => importFrom(database, file));
        rows.push({
          what: `${what} of ${imported}`,
          'rows/s': Math.round(imported / seconds),
          MiB: '',
          'more memory, MiB': '',
          'of plain SQL': (insert / seconds).toFixed(2),
        });
      }
    });
    await database.close();
    return {
      title: 'Files of records with twenty fields',
      rows,
      notes: [
        'Plain SQL: the rows as text into a table of their own, and the same number of rows by one insert without rules.',
        'An import writes with each row its history and its event, in pieces of 500 on disk.',
      ],
    };
  } finally {
    await stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function exportAs(database: Database, format: 'csv' | 'xlsx' | 'ndjson') {
  let bytes = 0;
  let peak = 0;
  const about = { organisation: 'Bench', author: 'bench', at: new Date(), query: {} };
  const request = {
    record,
    format,
    language: 'en' as const,
    clock,
    about,
    restriction: {},
    custom: [],
    referred: referredBy(record, []),
  };
  const seconds = await secondsOf(() =>
    database.inTenant(
      tenantId,
      async (tx) => {
        for await (const chunk of exportOf(tx, request)) {
          bytes += chunk.length;
          peak = Math.max(peak, process.memoryUsage.rss());
        }
      },
      { readOnly: true, isolation: 'repeatable read' },
    ),
  );
  return { seconds, mebibytes: bytes / 2 ** 20, peak };
}

async function importFrom(database: Database, text: string): Promise<void> {
  const outbox = createOutbox({ service, clock: () => new Date(), onAdded: () => {} });
  const records = recordsOf(record as RecordDeclaration, { outbox });
  const reading = { record, hidden: [], mapping: undefined, clock, custom: [] };
  const file = await openRecordFile(oneChunk(text), 'text/csv', reading);
  const plan = {
    record,
    records: records as never,
    create: undefined,
    change: records.change as never,
    author,
    restriction: {},
    requireMayChange: () => {},
    referred: referredBy(record, []),
  };
  const report = await importRecords(file, plan, {
    mode: 'each',
    dryRun: false,
    inTransaction: (work) => database.inTenant(tenantId, work),
  });
  await file.close();
  if (report.created + report.repeated !== imported) throw new Error(JSON.stringify(report).slice(0, 500));
}

async function* oneChunk(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}
