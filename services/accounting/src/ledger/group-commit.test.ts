import { IdempotencyKeyReused, newId } from '@marimo/contracts';
import { accounts, journalEntries } from '@marimo/contracts/accounting';
import { type ServiceUnderTest, tokenFor } from '@marimo/testing';
import { until } from '@marimo/testing/outside';
import {
  type EntryInput,
  entry,
  type Organisation,
  organisationIn,
  startAccounting,
} from '../../test/organisation.ts';

let service: ServiceUnderTest;
let pine: Organisation;
beforeAll(async () => {
  service = await startAccounting();
});
afterAll(() => service?.stop());
beforeEach(async () => {
  pine = organisationIn(service);
  await pine.accounts('41', '60');
  await pine.call(journalEntries.post, { body: entry() }); // opens the book and the series
});

/** Sends requests while the series is held, so that they wait for it together; gives their answers. */
async function whileSeriesIsHeld<A>(
  send: () => Promise<A>[],
  meanwhile = () => Promise.resolve(),
): Promise<A[]> {
  const release = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const holding = service.database.database.inTenant(pine.tenantId, async (tx) => {
    await tx.rows('select 1 from number_series where tenant_id = $1 for update', [tx.tenantId]);
    held.resolve();
    await release.promise;
  });
  await held.promise;
  // The first of these takes the turn of the organisation; what comes after it gathers.
  const first = [1, 2, 3].map(() => pine.call(journalEntries.post, { body: entry() }));
  await until(async () => (await waitingForLocks()) > 0);
  const answers = send();
  await service.http.get('/health'); // read after those requests
  await meanwhile();
  release.resolve();
  await Promise.all([holding, ...first]);
  return Promise.all(answers);
}

async function waitingForLocks(): Promise<number> {
  const [row] = await service.database.sql<{ waiting: number }>(
    `select count(*)::int as waiting from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row?.waiting ?? 0;
}

const post = (body: EntryInput, options: { key?: string; userId?: string } = {}) =>
  pine.call(
    journalEntries.post,
    { body, ...(options.key !== undefined && { idempotencyKey: options.key }) },
    {
      as: tokenFor({
        tenantId: pine.tenantId,
        ...(options.userId !== undefined && { userId: options.userId }),
      }),
    },
  );

describe('entries posted one by one while others wait for the same series', () => {
  it('share commits, and have numbers without gap or duplicate', async () => {
    const answers = await whileSeriesIsHeld(() => Array.from({ length: 40 }, () => post(entry())));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    const rows = await service.database.sql<{ number: string; commit: string }>(
      'select number, xmin::text as commit from journal_entry where tenant_id = $1 order by number',
      [pine.tenantId],
    );
    expect(rows.map(({ number }) => number)).toEqual(
      rows.map((_, index) => `GJ-2026-${String(index + 1).padStart(6, '0')}`),
    );
    expect(rows).toHaveLength(44);
    expect(new Set(rows.map(({ commit }) => commit)).size).toBeLessThan(15);
  });

  it('take no connection before those ahead of them are written', async () => {
    let waiting: number | undefined;
    await whileSeriesIsHeld(
      () => Array.from({ length: 10 }, () => post(entry())),
      async () => {
        await Promise.all([1, 2, 3].map(() => pine.call(journalEntries.list, { query: {} })));
        waiting = await waitingForLocks();
      },
    );
    expect(waiting).toBe(1);
  });

  it('each name their own person and request in the event', async () => {
    const people = [newId(), newId(), newId()];
    const answers = await whileSeriesIsHeld(() => people.map((userId) => post(entry(), { userId })));
    expect(answers.map(({ body }) => body.postedBy)).toEqual(people);
    const events = await pine.events(journalEntries.posted.type);
    const own = answers.map(({ body }) => events.find(({ subject }) => subject === body.entryId));
    expect(own.map((each) => each?.actorid)).toEqual(people);
    expect(own.map((each) => each?.requestid)).toEqual(
      answers.map(({ headers }) => headers.get('x-request-id')),
    );
  });

  it('each have their own answer: posted, repeated, in conflict or refused', async () => {
    const twice = entry();
    const [posted, uneven, unknown, again, other, last] = await whileSeriesIsHeld(() => [
      post(twice),
      post(entry({ lines: ['41 debit 10.00', '60 credit 9.99'] })),
      post(entry({ lines: ['41 debit 10.00', '99 credit 10.00'] })),
      post(twice),
      post({ ...twice, description: 'Something else' }),
      post(entry()),
    ]);
    expect(new Set([posted?.status, again?.status])).toEqual(new Set([201, 200]));
    expect(again?.json).toEqual(posted?.json);
    expect(uneven).toBeRefused(journalEntries.EntryOutOfBalance);
    expect(unknown).toBeRefused(accounts.AccountUnknown, { accountCodes: ['99'] });
    expect(other).toBeRefused(journalEntries.EntryConflict);
    expect(last?.status).toBe(201);
    expect(await pine.rows('journal_entry')).toHaveLength(6);
  });

  it('each keep their answer with their own Idempotency-Key', async () => {
    const given = entry();
    const answers = await whileSeriesIsHeld(() => [post(given, { key: 'a' }), post(entry(), { key: 'b' })]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    const [again, reused] = await whileSeriesIsHeld(() => [
      post(given, { key: 'a' }),
      post(entry(), { key: 'b' }),
    ]);
    expect([again?.status, again?.json]).toEqual([201, answers[0]?.json]);
    expect(again?.headers.get('idempotent-replayed')).toBe('true');
    expect(reused).toBeRefused(IdempotencyKeyReused);
  });

  it('are posted although one among them is beyond what a balance can hold', async () => {
    const huge = () => entry({ lines: ['41 debit 400000000000000.00', '60 credit 400000000000000.00'] });
    await pine.call(journalEntries.postBatch, {
      query: {},
      body: { entries: Array.from({ length: 230 }, huge) },
    });
    const [before, tooLarge, after] = await whileSeriesIsHeld(() => [
      post(entry()),
      post(huge()),
      post(entry()),
    ]);
    expect([before?.status, after?.status]).toEqual([201, 201]);
    expect(tooLarge).toBeRefused(journalEntries.BalanceTooLarge);
  });
});

describe('postings behind a large one of the same organisation', () => {
  it('are refused as busy while there is time to say so, and posted once it is through', async () => {
    const release = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const holding = service.database.database.inTenant(pine.tenantId, async (tx) => {
      await tx.rows('select 1 from number_series where tenant_id = $1 for update', [tx.tenantId]);
      held.resolve();
      await release.promise;
    });
    await held.promise;
    const waiting = Array.from({ length: 5 }, () => entry());
    // The first hold the turns of the organisation and wait in the database, the others for their turn.
    const answers = await Promise.all(waiting.map((body) => post(body)));
    for (const answer of answers) {
      expect(answer).toBeRefused(journalEntries.LedgerBusy);
      expect(answer.headers.get('retry-after')).toBe('5');
    }
    release.resolve();
    await holding;
    expect(await pine.rows('journal_entry')).toHaveLength(1);
    const again = await Promise.all(waiting.map((body) => post(body)));
    expect(again.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
  });
});
