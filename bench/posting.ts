import { readdirSync, readFileSync } from 'node:fs';
import { journalEntries } from '@marimo/contracts/accounting';
import { asAdministrator } from '@marimo/postgres';
import { cpuSeconds } from './cores.ts';
import { accountCodes, invoiceEntry, invoices, perSecond, secondsOf } from './ledger/entries.ts';
import { insertPlainly, makePlainTables } from './ledger/plain-sql.ts';
import {
  atRate,
  founderOf,
  type PlatformAtWork,
  percentile,
  startPlatformAtWork,
} from './platform/people.ts';
import type { Result } from './result.ts';

const seconds = 10;
const warmSeconds = 4;
const batchSize = 500;
const batchesAtOnce = 2;
const wantedPerSecond = 500;
const organisations = 8;

type Row = Result['rows'][number];

/**
 * How fast entries of three lines are posted as people do it: through the gateway, with the workers writing the audit of
 * it, beside the same rows by plain SQL, each commit on disk.
 */
export async function run(): Promise<Result> {
  const platform = await startPlatformAtWork(['REGISTER', 'CALLER', 'USER', 'ADDRESS']);
  try {
    await makePlainTables(platform.server);
    const pine = await tokenOf(platform, 'pine');
    const many = [];
    for (let n = 0; n < organisations; n += 1) many.push(await tokenOf(platform, `organisation-${n}`));
    await single(platform, [pine], 8, warmSeconds);
    await inBatches(platform, pine, warmSeconds);
    const batches = await inBatches(platform, pine, seconds);
    const plainBatches = await plainly(platform, batchesAtOnce, batchSize);
    const rows: Row[] = [rowOf(`${batchesAtOnce} × batches of ${batchSize}`, batches, plainBatches)];
    const plain = await plainly(platform, 8, 1);
    for (const [tokens, atOnce] of [
      [[pine], 8],
      [[pine], 32],
      [many, 8],
    ] as const) {
      const what = `${atOnce} clients, an entry a request, ${tokens.length} organisation${tokens.length > 1 ? 's' : ''}`;
      rows.push(rowOf(what, await single(platform, tokens, atOnce, seconds), plain));
    }
    const offered = await offeredLoad(platform, pine);
    rows.push(rowOf(`offered ${wantedPerSecond}/s, an entry a request, 1 organisation`, offered, plain));
    return {
      title: 'Posting entries of three lines through the gateway, with balances, numbers, events and audit',
      rows,
      notes: [
        await longBill(platform, pine),
        'Plain SQL is the same rows into tables with primary keys: no rules, numbers, balances, events, audit or HTTP.',
        'The load is made on the same cores, as are gateway, services, workers and database. CPU is theirs, without the load.',
      ],
    };
  } finally {
    await platform.stop();
  }
}

interface Posted {
  readonly perSecond: number;
  readonly milliseconds?: readonly number[];
  readonly cpuMs: number;
}

async function tokenOf({ ask }: PlatformAtWork, name: string): Promise<string> {
  return (await founderOf(ask, name, accountCodes)).session.accessToken;
}

async function inBatches({ ask, ...of }: PlatformAtWork, token: string, time: number): Promise<Posted> {
  return measured(of, () =>
    perSecond(batchesAtOnce, time, async () => {
      const body = { entries: invoices(batchSize) };
      const { results } = await ask<{ results: { outcome: string }[] }>(journalEntries.postBatch, {
        body,
        token,
      });
      return results.filter(({ outcome }) => outcome === 'accepted').length;
    }).then((rate) => ({ rate, count: rate * time })),
  );
}

async function single(
  { ask, ...of }: PlatformAtWork,
  tokens: readonly string[],
  atOnce: number,
  time: number,
): Promise<Posted> {
  const milliseconds: number[] = [];
  const posted = await measured(of, async () => {
    const rate = await perSecond(atOnce, time, async () => {
      const startedAt = performance.now();
      const token = tokens[milliseconds.length % tokens.length] ?? '';
      await ask(journalEntries.post, { body: invoices(1)[0], token });
      milliseconds.push(performance.now() - startedAt);
      return 1;
    });
    return { rate, count: milliseconds.length };
  });
  return { ...posted, milliseconds };
}

async function offeredLoad({ ask, ...of }: PlatformAtWork, token: string): Promise<Posted> {
  let milliseconds: number[] = [];
  const posted = await measured(of, async () => {
    const taken = await atRate(wantedPerSecond, seconds, () =>
      ask(journalEntries.post, { body: invoices(1)[0], token }),
    );
    milliseconds = taken.map(({ ms }) => ms);
    return { rate: taken.length / seconds, count: taken.length };
  });
  return { ...posted, milliseconds };
}

async function measured(
  { pid }: Pick<PlatformAtWork, 'pid'>,
  work: () => Promise<{ rate: number; count: number }>,
): Promise<Posted> {
  const before = cpuOf(pid);
  const { rate, count } = await work();
  return { perSecond: rate, cpuMs: ((cpuOf(pid) - before) * 1_000) / count };
}

/** Of the platform's process and of the processes of its database, which are children of its postmaster. */
function cpuOf(pid: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1] ?? '';
      parents.set(Number(name), Number(stat.split(' ')[1]));
    } catch {
      // it has ended meanwhile
    }
  }
  const isOurs = (one: number): boolean => one === pid || (parents.has(one) && isOurs(parents.get(one) ?? 0));
  return [...parents.keys()].filter(isOurs).reduce((sum, one) => sum + cpuSeconds(one), 0);
}

async function plainly({ server }: PlatformAtWork, atOnce: number, size: number): Promise<number> {
  const rates = Array.from({ length: atOnce }, () =>
    asAdministrator(server, (client) =>
      perSecond(1, seconds, async () => {
        await insertPlainly(client, invoices(size));
        return size;
      }),
    ),
  );
  return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0);
}

async function longBill({ ask, server }: PlatformAtWork, token: string): Promise<string> {
  const body = invoiceEntry(1, 2_750);
  const billSeconds = await secondsOf(() => ask(journalEntries.post, { body, token }));
  const plainSeconds = await asAdministrator(server, (client) =>
    secondsOf(() => insertPlainly(client, [body])),
  );
  return `A bill of 2,750 lines: ${billSeconds.toFixed(2)} s, by plain SQL ${plainSeconds.toFixed(2)} s.`;
}

function rowOf(what: string, { perSecond: rate, milliseconds, cpuMs }: Posted, plain: number): Row {
  const at = (part: number) => (milliseconds === undefined ? '' : percentile(milliseconds, part).toFixed(1));
  return {
    what,
    'entries/s': Math.round(rate),
    'P50 ms': at(0.5),
    'P99 ms': at(0.99),
    'CPU ms each': cpuMs.toFixed(2),
    'plain SQL/s': Math.round(plain),
    'of plain SQL': (rate / plain).toFixed(2),
  };
}
