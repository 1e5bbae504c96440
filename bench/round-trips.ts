import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@marimo/contracts';
import { createLog, createMetrics } from '@marimo/observability';
import {
  asAdministrator,
  type Database,
  migrate,
  openDatabase,
  type ServerAddress,
  startEmbeddedServer,
} from '@marimo/postgres';
import type { Result } from './result.ts';

const rounds = 20;
const times = 300;
const ways = [
  'plain pg by TCP: begin, tenant, statement, commit',
  'the same by Unix socket',
  'inTenant by TCP',
  'inTenant by Unix socket, as services do',
];
const log = createLog({ service: 'bench', level: 'warn' });
const tenantId = newId();
const question = { name: 'bench_question', text: 'select $1::int + 1 as next', values: [1] };

/** What a tenant's transaction of one statement costs, beside the same statements one by one. */
export async function run(): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'marimo-bench-'));
  const { server, stop } = await startEmbeddedServer({ directory, log });
  try {
    await migrate(server, { schema: 'bench', folders: [], passwords: { app: 'bench', relay: 'bench' }, log });
    const byTcp = { ...server, socketDirectory: undefined };
    const [slow, quick] = [open(byTcp), open(server)];
    const costs = await asAdministrator(byTcp, (tcp) =>
      asAdministrator(server, (socket) =>
        bestOf([plainly(tcp), plainly(socket), inTenant(slow), inTenant(quick)]),
      ),
    );
    await Promise.all([slow.close(), quick.close()]);
    const rows = ways.map((what, index) => row(what, costs[index] as Cost, costs[0] as Cost));
    return {
      title: 'A transaction of one statement, one after the other',
      rows,
      notes: [`The best of ${rounds} rounds of ${times}, the ways by turns.`],
    };
  } finally {
    await stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Cost {
  readonly passedUs: number;
  /** Of this process; the server has its own. */
  readonly cpuUs: number;
}

function row(what: string, { passedUs, cpuUs }: Cost, plain: Cost): Result['rows'][number] {
  return {
    what,
    'µs each': Math.round(passedUs),
    'µs of our CPU': Math.round(cpuUs),
    'of plain': (passedUs / plain.passedUs).toFixed(2),
    'of its CPU': (cpuUs / plain.cpuUs).toFixed(2),
  };
}

type Ask = () => Promise<unknown>;

function plainly(client: Parameters<Parameters<typeof asAdministrator>[1]>[0]): Ask {
  return async () => {
    await client.query('begin');
    await client.query("select set_config('app.tenant_id', $1, true)", [tenantId]);
    await client.query(question);
    await client.query('commit');
  };
}

function open(server: ServerAddress): Database {
  const metrics = createMetrics('bench');
  return openDatabase({ server, schema: 'bench', role: 'app', password: 'bench', metrics, log });
}

function inTenant(database: Database): Ask {
  const { text, values, name } = question;
  return () => database.inTenant(tenantId, (tx) => tx.rows(text, values, name));
}

/** Other work on this machine makes single rounds slow, never fast. */
async function bestOf(asks: readonly Ask[]): Promise<Cost[]> {
  const best = asks.map(
    (): Cost => ({ passedUs: Number.POSITIVE_INFINITY, cpuUs: Number.POSITIVE_INFINITY }),
  );
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, ask] of asks.entries()) {
      const { passedUs, cpuUs } = await costOf(ask);
      const least = best[index] as Cost;
      best[index] = { passedUs: Math.min(least.passedUs, passedUs), cpuUs: Math.min(least.cpuUs, cpuUs) };
    }
  }
  return best;
}

async function costOf(work: Ask): Promise<Cost> {
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  for (let done = 0; done < times; done += 1) await work();
  const { user, system } = process.cpuUsage(cpu);
  return { passedUs: ((performance.now() - startedAt) * 1_000) / times, cpuUs: (user + system) / times };
}
