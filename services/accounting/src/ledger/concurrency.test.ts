import { newId } from '@marimo/contracts';
import { journalEntries, journals, reports } from '@marimo/contracts/accounting';
import { createOutbox } from '@marimo/messaging';
import type { SignedInCall } from '@marimo/service-kit';
import type { ServiceUnderTest } from '@marimo/testing';
import { clock, entry, type Organisation, organisationIn, startAccounting } from '../../test/organisation.ts';
import { postEntries, signerOf } from './posting.ts';

let service: ServiceUnderTest;
let pine: Organisation;
beforeAll(async () => {
  service = await startAccounting();
});
afterAll(() => service?.stop());
beforeEach(async () => {
  pine = organisationIn(service);
  await pine.accounts('41', '51', '60', '62', '90');
});

async function sequences(): Promise<string[]> {
  const rows = await pine.rows<{ number: string }>('journal_entry');
  return rows.map(({ number }) => number).sort();
}

const numbersTo = (count: number) =>
  Array.from({ length: count }, (_, index) => `GJ-2026-${String(index + 1).padStart(6, '0')}`);

describe('many clerks at once', () => {
  it('get numbers without gap or duplicate', async () => {
    const codes = ['41', '51', '60', '62', '90'];
    const clerks = Array.from({ length: 50 }, (_, clerk) => async () => {
      for (let turn = 0; turn < 4; turn += 1) {
        // Each touches the accounts in another order, and every third entry is out of balance.
        const [one, two, three] = codes.toSorted(() => Math.random() - 0.5);
        const last = (clerk + turn) % 3 === 0 ? '1.99' : '2.00';
        const lines = [`${one} debit 1.00`, `${two} debit 1.00`, `${three} credit ${last}`];
        const answer = await pine.call(journalEntries.post, { body: entry({ lines }) });
        expect([201, 422]).toContain(answer.status);
      }
    });
    await Promise.all(clerks.map((work) => work()));
    const posted = await sequences();
    expect(posted).toEqual(numbersTo(posted.length));
    expect(posted.length).toBeGreaterThan(100);
    const { body } = await pine.call(reports.getTrialBalance, { query: { asOf: '2026-12-31' } });
    expect(body.totals.balance.isZero()).toBe(true);
  });

  it('post overlapping batches in opposite orders, each entry once', async () => {
    const entries = Array.from({ length: 100 }, () => entry());
    const answers = await Promise.all(
      [entries, entries.toReversed(), entries, entries.toReversed()].map((given) =>
        pine.call(journalEntries.postBatch, { query: {}, body: { entries: given } }),
      ),
    );
    const outcomes = answers.flatMap(({ body }) => body.results.map(({ outcome }) => outcome));
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(100);
    expect(outcomes.filter((outcome) => outcome === 'repeated')).toHaveLength(300);
    expect(await sequences()).toEqual(numbersTo(100));
    expect(await pine.events(journalEntries.posted.type)).toHaveLength(100);
  });
});

describe('postings to the same accounts, journals and years in any order', () => {
  it('never deadlock: none has to be tried again', async () => {
    await pine.call(journalEntries.post, { body: entry() }); // opens the book
    const codes = ['41', '51', '60', '62', '90'];
    const posting = {
      baseCurrency: 'RUB',
      postedAt: clock.now(),
      lockWithinMs: 30_000,
      outbox: createOutbox({ service: 'accounting', clock: clock.now, onAdded: () => {} }),
    };
    await pine.call(journals.create, { body: { code: 'BANK', name: 'Bank' } });
    const signed = signerOf({ caller: { userId: newId() } } as SignedInCall);
    const any = <T>(items: readonly T[]) => items[Math.floor(Math.random() * items.length)] as T;
    const batch = () => {
      // Most batches keep to one journal: only those of different journals meet at the balances.
      const journals = any([['GJ'], ['BANK'], ['GJ'], ['BANK'], ['GJ', 'BANK']]);
      return Array.from({ length: 20 }, () => {
        const [one, two] = codes.toSorted(() => Math.random() - 0.5);
        const postingDate = `${any(['2025', '2026'])}-0${any([1, 2, 3, 4, 5])}-15`;
        const lines = [`${one} debit 1`, `${two} credit 1`];
        return journalEntries.PostJournalEntry.parse(
          entry({ postingDate, journalCode: any(journals), lines }),
        );
      });
    };
    let attempts = 0;
    const post = () =>
      service.database.database.inTenant(pine.tenantId, (tx) => {
        attempts += 1;
        return postEntries(tx, posting, batch().map(signed));
      });
    // As many at once as there are connections: on a busy machine the last of a hundred waits too long for one.
    const tenInTurn = async () => {
      for (let n = 0; n < 10; n += 1) await post();
    };
    await Promise.all(Array.from({ length: 10 }, tenInTurn));
    expect(attempts).toBe(100);
  });
});

describe('a client that sends the same entry twice at once', () => {
  it('is told "new" once and "the same again" otherwise', async () => {
    for (let round = 0; round < 10; round += 1) {
      const body = entry();
      const answers = await Promise.all([1, 2, 3, 4].map(() => pine.call(journalEntries.post, { body })));
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 201]);
      expect(new Set(answers.map(({ json }) => JSON.stringify(json))).size).toBe(1);
    }
    expect(await sequences()).toEqual(numbersTo(10));
  });

  it('into two different journals or years: one is posted, the other is a conflict', async () => {
    for (let round = 0; round < 10; round += 1) {
      const given = entry({ entryId: newId() });
      const answers = await Promise.all(
        ['2026-01-01', '2025-01-01'].map((postingDate) =>
          pine.call(journalEntries.post, { body: { ...given, postingDate } }),
        ),
      );
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
    }
    const posted = await sequences();
    expect(posted).toHaveLength(10);
    for (const year of ['2025', '2026']) {
      const own = posted.filter((number) => number.startsWith(`GJ-${year}`));
      expect(own).toEqual(numbersTo(own.length).map((number) => number.replace('2026', year)));
    }
  });
});

describe('a posting that fails after it took its number', () => {
  it('gives the number back', async () => {
    const database = service.database;
    await pine.call(journalEntries.post, { body: entry() });
    const broken = database.database.inTenant(pine.tenantId, async (tx) => {
      await tx.run('update number_series set last_number = last_number + 1 where tenant_id = $1', [
        pine.tenantId,
      ]);
      throw new Error('the power fails');
    });
    await expect(broken).rejects.toThrow('the power fails');
    const { body } = await pine.call(journalEntries.post, { body: entry() });
    expect(body.number).toBe('GJ-2026-000002');
  });
});
