import { MalformedRequest } from '@marimo/contracts';
import { accounts, journalEntries } from '@marimo/contracts/accounting';
import type { ServiceUnderTest } from '@marimo/testing';
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
});

const post = (entries: readonly EntryInput[], mode?: 'each' | 'all-or-nothing') =>
  pine.call(journalEntries.postBatch, {
    query: mode === undefined ? {} : { mode },
    body: { entries: [...entries] },
  });

const good = () => entry();
const unbalanced = () => entry({ lines: ['41 debit 1.00', '60 credit 2.00'] });
const unknown = () => entry({ lines: ['41 debit 1.00', '99 credit 1.00'] });
const huge = () => entry({ lines: ['41 debit 400000000000000.00', '60 credit 400000000000000.00'] });
const codeOf = (refusal: { definition: { code: string } }) => refusal.definition.code;

describe('posting a batch, each entry for itself', () => {
  it('posts what is right, refuses the rest, and says of each what became of it, in order', async () => {
    const [first, second, third, fourth] = [good(), unbalanced(), unknown(), good()];
    const { body } = await post([first, second, third, fourth]);
    expect(body.results).toMatchObject([
      { outcome: 'accepted', entryId: first.entryId, number: 'GJ-2026-000001' },
      {
        outcome: 'refused',
        entryId: second.entryId,
        problem: { code: codeOf(journalEntries.EntryOutOfBalance), status: 422 },
      },
      { outcome: 'refused', entryId: third.entryId, problem: { code: codeOf(accounts.AccountUnknown) } },
      { outcome: 'accepted', entryId: fourth.entryId, number: 'GJ-2026-000002' },
    ]);
    expect(await pine.events(journalEntries.posted.type)).toHaveLength(2);
  });

  it('takes an id once, also when it stands in the batch twice', async () => {
    const given = good();
    const { body } = await post([given, given, { ...given, description: 'Other goods' }]);
    expect(body.results).toMatchObject([
      { outcome: 'accepted', number: 'GJ-2026-000001' },
      { outcome: 'repeated', number: 'GJ-2026-000001' },
      { outcome: 'refused', problem: { code: codeOf(journalEntries.EntryConflict), number: null } },
    ]);
    expect(await pine.rows('journal_entry')).toHaveLength(1);
  });

  it('can be repeated: everything is there already', async () => {
    const entries = [good(), good()];
    await post(entries);
    const { body } = await post(entries);
    expect(body.results).toMatchObject([
      { outcome: 'repeated', number: 'GJ-2026-000001' },
      { outcome: 'repeated', number: 'GJ-2026-000002' },
    ]);
    expect(await pine.rows('journal_entry')).toHaveLength(2);
  });

  it('refuses those alone that no balance can hold any more, also when it is repeated with its key', async () => {
    const entries = [...Array.from({ length: 232 }, huge), good()];
    const body = { entries };
    const send = () => pine.call(journalEntries.postBatch, { query: {}, body, idempotencyKey: 'huge' });
    const first = await send();
    const outcomes = first.body.results.map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'refused')).toHaveLength(2);
    expect(outcomes.at(-1)).toBe('accepted');
    expect(first.body.results.find(({ outcome }) => outcome === 'refused')).toMatchObject({
      problem: { code: codeOf(journalEntries.BalanceTooLarge), status: 422 },
    });
    expect(await pine.rows('journal_entry')).toHaveLength(231);
    expect((await send()).json).toEqual(first.json);
  });

  it('refuses more than 1,000 entries at once', async () => {
    expect(await post(Array.from({ length: 1_001 }, good))).toBeRefused(MalformedRequest);
  });
});

describe('posting a batch, all or nothing', () => {
  it('posts all when all are right', async () => {
    const { body } = await post([good(), good()], 'all-or-nothing');
    expect(body.results.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted']);
  });

  it('posts nothing when no balance can hold their sum', async () => {
    expect(await post(Array.from({ length: 232 }, huge), 'all-or-nothing')).toBeRefused(
      journalEntries.BalanceTooLarge,
    );
    expect(await pine.rows('journal_entry')).toEqual([]);
  });

  it('posts nothing when one is refused, and says which were right and which were there', async () => {
    const present = good();
    await post([present]);
    const { body } = await post([good(), present, unbalanced()], 'all-or-nothing');
    expect(body.results.map(({ outcome }) => outcome)).toEqual(['left-out', 'repeated', 'refused']);
    expect(await pine.rows('journal_entry')).toHaveLength(1);
    expect(await pine.events(journalEntries.posted.type)).toHaveLength(1);
  });
});
