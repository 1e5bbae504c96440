import { journalEntries } from '@marimo/contracts/accounting';
import { asAdministrator } from '@marimo/postgres';
import { type AccountingServer, type Books, startAccountingServer } from './ledger/accounting-server.ts';
import { accountCodes, invoiceEntry, perSecond, secondsOf } from './ledger/entries.ts';
import { insertPlainly, makePlainTables } from './ledger/plain-sql.ts';
import type { Result } from './result.ts';

const seconds = 8;
const batchSize = 500;
const batchesAtOnce = 2;
const postsAtOnce = 16;
const organisations = 8;

/** How fast entries of three lines are posted through the API, beside the same rows by plain SQL. */
export async function run(): Promise<Result> {
  const accounting = await startAccountingServer();
  try {
    await accounting.addAccounts(accountCodes);
    await makePlainTables(accounting.server);
    await inBatches(accounting, 2); // warm
    const batches = await inBatches(accounting, seconds);
    const plainBatches = await plainly(accounting, batchesAtOnce, batchSize);
    await oneByOne([accounting], 2);
    const posts = await oneByOne([accounting], seconds);
    const many = Array.from({ length: organisations }, () => accounting.others());
    for (const books of many) await books.addAccounts(accountCodes);
    await oneByOne(many, 2);
    const postsOfMany = await oneByOne(many, seconds);
    const plainPosts = await plainly(accounting, postsAtOnce, 1);
    const bill = await longBill(accounting);
    return report({ batches, plainBatches, posts, postsOfMany, plainPosts, ...bill });
  } finally {
    await accounting.stop();
  }
}

let turn = 0;
const entries = (count: number) => Array.from({ length: count }, () => invoiceEntry(++turn));

function inBatches(accounting: AccountingServer, time: number): Promise<number> {
  return perSecond(batchesAtOnce, time, async () => {
    const body = JSON.stringify({ entries: entries(batchSize) });
    const { results } = await accounting.ask<{ results: { outcome: string }[] }>(
      journalEntries.postBatch,
      '',
      body,
    );
    return results.filter(({ outcome }) => outcome === 'accepted').length;
  });
}

function oneByOne(of: readonly Books[], time: number): Promise<number> {
  let next = 0;
  return perSecond(postsAtOnce, time, async () => {
    next += 1;
    await of[next % of.length]?.ask(journalEntries.post, '', JSON.stringify(entries(1)[0]));
    return 1;
  });
}

async function plainly({ server }: AccountingServer, atOnce: number, size: number): Promise<number> {
  const rates = Array.from({ length: atOnce }, () =>
    asAdministrator(server, (client) =>
      perSecond(1, seconds, async () => {
        await insertPlainly(client, entries(size));
        return size;
      }),
    ),
  );
  return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0);
}

async function longBill(accounting: AccountingServer) {
  const bill = invoiceEntry(1, 2_750);
  const billSeconds = await secondsOf(() => accounting.ask(journalEntries.post, '', JSON.stringify(bill)));
  const plainBillSeconds = await asAdministrator(accounting.server, (client) =>
    secondsOf(() => insertPlainly(client, [bill])),
  );
  return { billSeconds, plainBillSeconds };
}

type Figures = Record<
  'batches' | 'plainBatches' | 'posts' | 'postsOfMany' | 'plainPosts' | 'billSeconds' | 'plainBillSeconds',
  number
>;

function report(figures: Figures): Result {
  const rate = (what: string, ledger: number, plain: number) => ({
    what,
    'through the API': `${Math.round(ledger)}/s`,
    'plain SQL': `${Math.round(plain)}/s`,
    'of plain SQL': (ledger / plain).toFixed(2),
  });
  return {
    title: 'Posting entries of three lines, with balances kept, numbers and events, each commit on disk',
    rows: [
      rate(`${batchesAtOnce} × batches of ${batchSize}`, figures.batches, figures.plainBatches),
      rate(`${postsAtOnce} × one entry a request`, figures.posts, figures.plainPosts),
      rate(`the same, of ${organisations} organisations`, figures.postsOfMany, figures.plainPosts),
      {
        what: 'a bill of 2,750 lines',
        'through the API': `${figures.billSeconds.toFixed(2)} s`,
        'plain SQL': `${figures.plainBillSeconds.toFixed(2)} s`,
        'of plain SQL': (figures.plainBillSeconds / figures.billSeconds).toFixed(2),
      },
    ],
    notes: [
      'Plain SQL is the same rows into tables with primary keys: no rules, numbers, balances, events or HTTP.',
      'In one journal every posting waits until the number of the one before is on disk; organisations do not wait for each other.',
      'The load is made on the same cores, as are service, relay and database.',
    ],
  };
}
