import { Absent, newId } from '@marimo/contracts';
import { accounts, journalEntries, reports } from '@marimo/contracts/accounting';
import type { ServiceUnderTest } from '@marimo/testing';
import { entry, type Organisation, organisationIn, startAccounting } from '../../test/organisation.ts';

let service: ServiceUnderTest;
let pine: Organisation;
let original: ReturnType<typeof entry>;
beforeAll(async () => {
  service = await startAccounting();
});
afterAll(() => service?.stop());
beforeEach(async () => {
  pine = organisationIn(service);
  await pine.accounts('41', '60');
  original = entry();
  await pine.call(journalEntries.post, { body: original });
});

const reverse = (body = {}, entryId = original.entryId) =>
  pine.call(journalEntries.reverse, { params: { entryId }, body });

describe('reversing a journal entry', () => {
  it('posts a mirrored entry with a number of its own, linked both ways, and brings the accounts back', async () => {
    const { status, body: reversal } = await reverse();
    expect(status).toBe(201);
    expect(reversal).toMatchObject({
      number: 'GJ-2026-000002',
      reversalOf: original.entryId,
      postingDate: '2026-03-31',
    });
    expect(reversal.lines.map(({ accountCode, side }) => [accountCode, side])).toEqual([
      ['41', 'credit'],
      ['60', 'debit'],
    ]);
    const { body: reversed } = await pine.call(journalEntries.get, { params: { entryId: original.entryId } });
    expect(reversed.reversedBy).toBe(reversal.entryId);
    const { body: trial } = await pine.call(reports.getTrialBalance, { query: { asOf: '2026-03-31' } });
    expect(trial.rows.map(({ balance }) => balance.toText())).toEqual(['0.00', '0.00']);
    expect(await pine.events(journalEntries.posted.type)).toMatchObject([
      { data: { reversalOf: null } },
      { data: { reversalOf: original.entryId } },
    ]);
  });

  it('takes the id, the day and the words that are asked for', async () => {
    const wish = { entryId: newId(), postingDate: '2026-04-01', description: 'Wrong supplier' };
    expect((await reverse(wish)).body).toMatchObject(wish);
  });

  it('can be repeated, and gives the same answer', async () => {
    const first = await reverse({ postingDate: '2026-04-01' });
    const again = await reverse({ postingDate: '2026-04-01' });
    const anyhow = await reverse();
    expect([again.status, anyhow.status]).toEqual([200, 200]);
    expect([again.json, anyhow.json]).toEqual([first.json, first.json]);
    expect(await pine.rows('journal_entry')).toHaveLength(2);
  });

  it('happens once, also when several ask at the same moment', async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => reverse()));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 200, 201]);
    expect(new Set(answers.map(({ body }) => body.entryId)).size).toBe(1);
    expect(await pine.rows('journal_entry')).toHaveLength(2);
  });

  it('is refused when it is asked for in another way than it was done', async () => {
    const { body: reversal } = await reverse();
    const conflict = { entryId: reversal.entryId, number: reversal.number };
    expect(await reverse({ postingDate: '2026-05-01' })).toBeRefused(journalEntries.EntryReversed, conflict);
    expect(await reverse({ entryId: newId() })).toBeRefused(journalEntries.EntryReversed, conflict);
    expect(await pine.rows('journal_entry')).toHaveLength(2);
  });

  it('is refused with a posting date before that of the entry, and stores nothing', async () => {
    const dates = { postingDate: '2026-03-30', entryDate: '2026-03-31' };
    expect(await reverse({ postingDate: '2026-03-30' })).toBeRefused(journalEntries.ReversalTooEarly, dates);
    expect(await pine.rows('journal_entry')).toHaveLength(1);
    expect((await reverse({ postingDate: '2026-03-31' })).status).toBe(201);
  });

  it('is refused under an id that was used for something else', async () => {
    expect(await reverse({ entryId: original.entryId })).toBeRefused(journalEntries.EntryConflict);
    expect(await pine.rows('journal_entry')).toHaveLength(1);
  });

  it('is refused while an account of it is archived', async () => {
    const { body: page } = await pine.call(accounts.list, { query: { code: '41' } });
    const params = { accountId: page.items[0]?.accountId ?? '' };
    await pine.call(accounts.change, { params, body: { archived: true } });
    expect(await reverse()).toBeRefused(accounts.AccountArchived, { accountCodes: ['41'] });
  });

  it('of an entry that is not there, or is not ours, is refused', async () => {
    expect(await reverse({}, newId())).toBeRefused(Absent);
    const oak = organisationIn(service);
    const params = { entryId: original.entryId };
    expect(await oak.call(journalEntries.reverse, { params, body: {} })).toBeRefused(Absent);
  });
});
