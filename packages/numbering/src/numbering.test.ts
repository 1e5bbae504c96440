import {
  MalformedRequest,
  type NumberSeries,
  NumbersWouldHaveGap,
  NumbersWouldRepeat,
  newId,
  Stale,
} from '@marimo/contracts';
import { tokenFor, useService } from '@marimo/testing';
import { randomFrom, runSeed, runUntilKilled } from '@marimo/testing/outside';
import type { CrashOrder } from '../test/crash-process.ts';
import { acts, file, numberSeries, paperService, tickets } from '../test/paper-service.ts';

const service = useService(paperService);

/** An organisation of its own for each test. */
let tenantId: string;
beforeEach(() => {
  tenantId = newId();
});
const take = (series: NumberSeries, day = '2026-03-01') =>
  service.database.database.inTenant(tenantId, (tx) => file(tx, series, day));
const filed = async ({ name }: NumberSeries) =>
  (await service.rows<{ tenant_id: string; series: string; number: string }>('paper'))
    .filter((row) => row.tenant_id === tenantId && row.series === name)
    .map(({ number }) => number)
    .sort();
const actsTo = (count: number) =>
  Array.from({ length: count }, (_, index) => `ACT-2026-${String(index + 1).padStart(4, '0')}`);

describe('a series without gaps', () => {
  it('has no gap and no duplicate with 50 writers, of whom some change their minds', async () => {
    const random = randomFrom(runSeed);
    const writers = Array.from({ length: 50 }, async () => {
      for (let turn = 0; turn < 6; turn += 1) {
        const isRolledBack = random() % 3 === 0;
        const filing = service.database.database.inTenant(tenantId, async (tx) => {
          await file(tx, acts, '2026-03-01');
          if (isRolledBack) throw new Error('changed its mind');
        });
        await filing.catch(() => {});
      }
    });
    await Promise.all(writers);
    const given = await filed(acts);
    expect({ seed: runSeed, given }).toEqual({ seed: runSeed, given: actsTo(given.length) });
    expect(given.length).toBeGreaterThan(100);
  });

  it('has none after its process was killed with numbers in its hands', async () => {
    const order: CrashOrder = { server: service.database.server, tenantId };
    const program = new URL('../test/crash-process.ts', import.meta.url);
    const acknowledged = await runUntilKilled({ program, order, failpoint: 'outbox.afterAdd:60' });
    await service.database.untilIdle();
    await take(acts);
    const given = await filed(acts);
    expect(given).toEqual(actsTo(given.length));
    expect(given).toEqual(expect.arrayContaining(acknowledged));
    expect(acknowledged.length).toBeGreaterThan(20);
  });

  it('begins anew in the year of the document, and each organisation has its own', async () => {
    expect(await take(acts, '2026-12-31')).toBe('ACT-2026-0001');
    expect(await take(acts, '2027-01-01')).toBe('ACT-2027-0001');
    expect(await take(acts, '2026-12-31')).toBe('ACT-2026-0002'); // posted late, dated last year
    tenantId = newId();
    expect(await take(acts, '2026-12-31')).toBe('ACT-2026-0001');
  });
});

describe('a series that may have gaps', () => {
  it('keeps nobody waiting, and gives no number twice', async () => {
    const { database } = service.database;
    expect([await take(tickets), await take(tickets), await take(tickets)]).toEqual([
      'T-001',
      'T-002',
      'T-003',
    ]);
    const numbers = await database.inTenant(tenantId, async (tx) => [
      await file(tx, tickets, '2026-03-01'),
      await take(tickets), // in a transaction of its own, while the other one has its number
    ]);
    expect(numbers).toEqual(['T-004', 'T-005']);
    await Promise.all(Array.from({ length: 60 }, () => take(tickets)));
    expect(new Set(await filed(tickets)).size).toBe(65);
  });
});

describe('the pattern of a series', () => {
  const call: typeof service.call = (endpoint, input, options = {}) =>
    service.call(endpoint, input, { as: tokenFor({ tenantId, roles: ['admin'] }), ...options });
  const change = (body: Parameters<typeof bodyOf>[0], series = 'act', headers = {}) =>
    call(numberSeries.change, { params: { series }, body: bodyOf(body) }, { headers });
  const bodyOf = (body: {
    readonly pattern?: string;
    readonly next?: { readonly date: string; readonly counter: number };
  }) => body;

  it('can be changed in the middle of a year, and back, and repeats nothing', async () => {
    await take(acts);
    const answer = await change({ pattern: 'А/{year}-{month}/{00}' });
    expect(answer.body).toMatchObject({ pattern: 'А/{year}-{month}/{00}', version: 1, gaps: 'none' });
    expect(await take(acts, '2026-03-31')).toBe('А/2026-03/01');
    expect(await take(acts, '2026-04-01')).toBe('А/2026-04/01');
    await change({ pattern: 'ACT-{year}-{000000}' });
    expect(await take(acts)).toBe('ACT-2026-000002');
    const { body } = await call(numberSeries.list, { query: { date: '2026-04-30' } });
    expect(body.items).toMatchObject([
      { series: 'act', next: 'ACT-2026-000003', usualPattern: 'ACT-{year}-{0000}', version: 2 },
      { series: 'ticket', next: 'T-001', version: 0 },
    ]);
  });

  it('is refused where it would give numbers that were given', async () => {
    await change({ pattern: '{year}-{0000}' });
    await take(acts);
    const answer = await change({ pattern: '{0000}-{year}' }); // its 2026-2026 would be in both
    expect(answer).toBeRefused(NumbersWouldRepeat, { number: '2026-0001' });
    expect((await change({ pattern: '{0000}/{year}' })).status).toBe(200);
  });

  it.each([
    ['no counter', 'ACT-{year}'],
    ['two counters', '{000}-{000}'],
    ['digits beside the counter', 'A-{year}{000}'],
    ['a month without its year', '{month}-{000}'],
    ['an unknown place', '{day}-{000}'],
    ['a sign that files cannot have', 'A*{000}'],
  ])('is refused with %s', async (_, pattern) => {
    expect(await change({ pattern })).toBeRefused(MalformedRequest);
  });

  it('starts where the organisation says, and never goes back or leaves numbers out', async () => {
    const at = (counter: number) => ({ next: { date: '2026-01-01', counter } });
    expect((await change(at(120))).body).toMatchObject({ next: 'ACT-2026-0120', version: 1 });
    expect(await take(acts)).toBe('ACT-2026-0120');
    expect(await change(at(120))).toBeRefused(NumbersWouldRepeat, { number: 'ACT-2026-0120' });
    expect(await change(at(130))).toBeRefused(NumbersWouldHaveGap, { number: 'ACT-2026-0120' });
    expect((await change(at(121))).body.version).toBe(1); // it would come anyway
    await take(tickets);
    expect((await change(at(500), 'ticket')).body.next).toBe('T-500');
    expect([await take(tickets), await take(tickets)]).toEqual(['T-500', 'T-501']);
  });

  it('is known with its history, and changed only by those who know the present one', async () => {
    await change({ pattern: 'A-{000}' });
    expect(await change({ pattern: 'B-{000}' }, 'act', { 'if-match': '"0"' })).toBeRefused(Stale);
    await change({ pattern: 'B-{000}', next: { date: '2026-01-01', counter: 7 } }, 'act', {
      'if-match': '"1"',
    });
    const { body } = await call(numberSeries.history, { params: { series: 'act' }, query: {} });
    expect(body.items).toMatchObject([
      { version: 2, pattern: 'B-{000}', next: 'B-007' },
      { version: 1, pattern: 'A-{000}', next: null },
    ]);
    const told = (await service.events()).filter((event) => event.tenantid === tenantId);
    expect(told.map(({ type }) => type)).toEqual([numberSeries.changed.type, numberSeries.changed.type]);
    tenantId = newId(); // a stranger sees the usual one
    expect((await call(numberSeries.list, { query: {} })).body.items[0]?.version).toBe(0);
  });
});
