import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiClient, registerOrganisation } from './api-client.ts';
import { freshMachine, type RunningPlatform, startPlatformProcess } from './platform-under-test.ts';
import { realSurroundings, type Surroundings } from './surroundings.ts';
import {
  asNdjson,
  entryIdOf,
  fixturesArePresent,
  readExpectedBalances,
  readThreeYears,
} from './three-years.ts';

jest.setTimeout(300_000);

const entryPosted = 'accounting.journal-entry-posted.v1';
const ways: { way: string; args: readonly string[]; surroundings: () => Promise<Surroundings> }[] = [
  {
    way: 'in one process with nothing installed',
    args: [],
    surroundings: async () => ({ env: {}, stop: async () => {} }),
  },
  {
    way: 'with a process per service on PostgreSQL, RabbitMQ, Redis and Consul',
    args: ['--processes'],
    surroundings: realSurroundings,
  },
];

// The ledger is real data kept beside the project; without it this file has nothing to show.
const describeWithLedger = fixturesArePresent ? describe : describe.skip;

describeWithLedger.each(ways)('three years of a real ledger, $way', ({ args, surroundings }) => {
  const ledger = fixturesArePresent ? readThreeYears() : { currency: 'USD', entries: [] };
  const expected = fixturesArePresent ? readExpectedBalances() : { afterAll: [], asOf: {} };
  let machine: Awaited<ReturnType<typeof freshMachine>>;
  let around: Surroundings;
  let platform: RunningPlatform;
  let organisation: ApiClient;

  const start = () =>
    startPlatformProcess({ home: machine.home, ports: machine.ports, args, env: around.env });

  beforeAll(async () => {
    machine = await freshMachine();
    around = await surroundings();
    platform = await start();
    organisation = await registerOrganisation(platform.origin, 'Three Years', ledger.currency);
    const accounts = [
      ...new Set(ledger.entries.flatMap((entry) => entry.lines.map((line) => line.account))),
    ].sort();
    for (const code of accounts) {
      const answer = await organisation.post('/api/v1/accounting/accounts', {
        code,
        name: `Account ${code}`,
        type: 'asset',
      });
      expect(answer.status).toBe(201);
    }
  });

  afterAll(async () => {
    await platform?.kill();
    await around?.stop();
    machine?.remove();
  });

  const importAll = () =>
    organisation.send('/api/v1/accounting/journal-entries/import', 'application/x-ndjson', asNdjson(ledger));

  const balances = async (asOf: string) => {
    const { status, body } = await organisation.get(`/api/v1/accounting/reports/trial-balance?asOf=${asOf}`);
    expect(status).toBe(200);
    return body.rows.map((row: { accountCode: string; balance: { amount: string } }) => ({
      account: row.accountCode,
      balance: row.balance.amount,
    }));
  };

  it('takes every entry but number 1008, which is a cent off, and names it', async () => {
    const { status, body } = await importAll();
    expect({ status, accepted: body.accepted, repeated: body.repeated }).toEqual({
      status: 200,
      accepted: 1344,
      repeated: 0,
    });
    expect(body.refused).toEqual([
      {
        line: 1008,
        entryId: entryIdOf(1008),
        problem: expect.objectContaining({
          code: 'accounting.entry-out-of-balance',
          differences: [{ amount: '-0.01', currency: 'USD' }],
        }),
      },
    ]);
  });

  it('changes nothing when the same file comes again', async () => {
    const { body } = await importAll();
    expect({ accepted: body.accepted, repeated: body.repeated, refused: body.refused.length }).toEqual({
      accepted: 0,
      repeated: 1344,
      refused: 1,
    });
  });

  it('has the trial balance that two other programs computed, at the end and at each quarter', async () => {
    expect(await balances('2004-12-31')).toEqual(expected.afterAll);
    for (const [day, rows] of Object.entries(expected.asOf)) expect(await balances(day)).toEqual(rows);
  });

  it('leaves one audit record per accepted entry, in a chain that verifies', async () => {
    await eventually(async () => {
      expect(await countOf(organisation, `/api/v1/workers/audit-records?type=${entryPosted}`)).toBe(1344);
    });
    const { body } = await organisation.get('/api/v1/workers/audit-records/verify');
    expect(body.valid).toBe(true);
  });

  it('sends one welcome mail, and one that proves the mailbox', async () => {
    const mails = () => readdirSync(join(machine.home, 'mail')).filter((name) => name.endsWith('.eml'));
    await eventually(async () => expect(mails()).toHaveLength(2));
    const texts = mails().map((name) => readFileSync(join(machine.home, 'mail', name), 'utf8'));
    expect(texts.filter((text) => text.includes('Three Years'))).toHaveLength(1);
    expect(texts.filter((text) => text.includes('/#/verify-email/'))).toHaveLength(1);
  });

  it('loses nothing when everything is killed and started again', async () => {
    await platform.kill();
    platform = await start();
    expect(await balances('2004-12-31')).toEqual(expected.afterAll);
    const { body } = await importAll();
    expect({ accepted: body.accepted, repeated: body.repeated }).toEqual({ accepted: 0, repeated: 1344 });
  });

  it('stops cleanly on Ctrl-C', async () => {
    expect(await platform.interrupt()).toBe(0);
    expect(platform.output()).toContain('Stopping');
    await expect(fetch(`${platform.origin}/health`)).rejects.toThrow();
  });
});

async function countOf(api: ApiClient, path: string): Promise<number> {
  let count = 0;
  let after: string | null = '';
  while (after !== null) {
    const { body } = await api.get(`${path}&limit=200${after ? `&after=${encodeURIComponent(after)}` : ''}`);
    count += body.items.length;
    after = body.next;
  }
  return count;
}

/** Events take a moment to arrive; how long is not what these tests are about. Looking costs what it looks at. */
async function eventually(check: () => Promise<void>): Promise<void> {
  const giveUpAt = Date.now() + 60_000;
  for (;;) {
    try {
      return await check();
    } catch (failure) {
      if (Date.now() > giveUpAt) throw failure;
      await sleep(1_000);
    }
  }
}
