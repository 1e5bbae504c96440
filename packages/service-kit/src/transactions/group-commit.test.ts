import { IdempotencyKeyReused, newId, RequestStillRunning } from '@marimo/contracts';
import { DatabaseUnavailable, type TenantTransaction } from '@marimo/postgres';
import { useDatabase } from '@marimo/testing/database';
import { NoteTooRude } from '../../test/notes-service.ts';
import { kitMigrations } from '../idempotency/migrations.ts';
import type { Outcome } from '../idempotency/once-only.ts';
import { reply } from '../route.ts';
import { type GroupMember, groupCommit } from './group-commit.ts';
import { limitConcurrencyByKey } from './limit-concurrency.ts';

const notes = new URL('../../test/migrations/', import.meta.url);
const test = useDatabase({ schema: 'config', folders: [...kitMigrations, notes] });
const [pine, oak] = [newId(), newId()];

interface Member extends GroupMember {
  readonly text: string;
}
type Written = ReturnType<typeof reply<201, { readonly text: string }>>;

let groups: string[][];
/** Runs in each transaction before its notes are written; may throw for some of them. */
let before: (texts: readonly string[]) => Promise<void> | void;
let write: (member: Member) => Promise<Written>;

beforeEach(async () => {
  await test.sql('truncate note, idempotency_key');
  [groups, before] = [[], () => {}];
  write = writer(1);
});

function writer(atOnce: number, atMost = 100) {
  return groupCommit({
    database: test.database,
    limit: limitConcurrencyByKey(atOnce),
    atMost,
    work: async (tx: TenantTransaction, members: readonly Member[]): Promise<Outcome<Written>[]> => {
      const texts = members.map(({ text }) => text);
      groups.push(texts);
      await before(texts);
      const polite = texts.filter((text) => !text.includes('damn'));
      const insert = 'insert into note (tenant_id, text) select $1, text from unnest($2::text[]) as text';
      await tx.run(insert, [tx.tenantId, polite]);
      return texts.map((text) =>
        polite.includes(text)
          ? { reply: reply(201, { text }) }
          : { refusal: new NoteTooRude({ word: 'damn' }) },
      );
    },
  });
}

function member(text: string, { key, signal, tenantId = pine }: Options = {}): Member {
  const repeat = { key, userId: pine, route: 'POST /notes', content: [text] };
  const call = {
    tenantId,
    repeat,
    deadlineAt: Date.now() + 30_000,
    signal: signal ?? new AbortController().signal,
  };
  return { text, call };
}
interface Options {
  readonly key?: string;
  readonly signal?: AbortSignal;
  readonly tenantId?: string;
}

const settle = async (calls: readonly Promise<Written>[]) =>
  (await Promise.allSettled(calls)).map((one) =>
    one.status === 'fulfilled' ? one.value.body.text : one.reason,
  );
const noteTexts = async () => (await test.rows<{ text: string }>('note')).map(({ text }) => text).toSorted();

/** The first keeps its transaction open until told, so that the others gather. */
function firstHeld(): () => void {
  const held = Promise.withResolvers<void>();
  before = ([text]) => (text === 'first' ? held.promise : undefined);
  return () => held.resolve();
}

describe('calls of one organisation that come while another one is running', () => {
  it('go together in one transaction, each with its own reply', async () => {
    const release = firstHeld();
    const first = write(member('first'));
    while (groups.length === 0) await new Promise(setImmediate);
    const others = ['a', 'b', 'c'].map((text) => write(member(text)));
    release();
    expect(await settle([first, ...others])).toEqual(['first', 'a', 'b', 'c']);
    expect(groups).toEqual([['first'], ['a', 'b', 'c']]);
    expect(await noteTexts()).toEqual(['a', 'b', 'c', 'first']);
  });

  it('are no more in a transaction than may be', async () => {
    write = writer(1, 2);
    await settle(['a', 'b', 'c', 'd', 'e'].map((text) => write(member(text))));
    expect(groups).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('never share it with those of another organisation', async () => {
    const calls = ['a', 'b'].flatMap((text) => [
      write(member(text)),
      write(member(`oak ${text}`, { tenantId: oak })),
    ]);
    await settle(calls);
    expect(groups.toSorted(([a = ''], [b = '']) => a.localeCompare(b))).toEqual([
      ['a', 'b'],
      ['oak a', 'oak b'],
    ]);
  });
});

describe('a call in a group', () => {
  const together = (...members: readonly Member[]) => settle(members.map((one) => write(one)));

  it('is refused alone', async () => {
    expect(await together(member('a'), member('damn'), member('b'))).toEqual([
      'a',
      expect.any(NoteTooRude),
      'b',
    ]);
    expect(await noteTexts()).toEqual(['a', 'b']);
  });

  it('that fails the transaction fails alone: all are tried again one by one', async () => {
    before = (texts) => {
      if (texts.includes('bad')) throw new Error('the note cannot be written');
    };
    const outcomes = await together(member('a'), member('bad'), member('b'));
    expect(outcomes).toEqual(['a', expect.objectContaining({ message: 'the note cannot be written' }), 'b']);
    expect(groups).toEqual([['a', 'bad', 'b'], ['a'], ['bad'], ['b']]);
    expect(await noteTexts()).toEqual(['a', 'b']);
  });

  it('is not tried alone when the database was away', async () => {
    before = () => {
      throw new DatabaseUnavailable({ outcome: 'unknown' });
    };
    const outcomes = await together(member('a'), member('b'));
    expect(outcomes).toEqual([expect.any(DatabaseUnavailable), expect.any(DatabaseUnavailable)]);
    expect(groups).toEqual([['a', 'b']]);
  });

  it('is left out when its caller has gone before the group begins', async () => {
    const controller = new AbortController();
    const release = firstHeld();
    const first = write(member('first'));
    while (groups.length === 0) await new Promise(setImmediate);
    const others = [write(member('gone', { signal: controller.signal })), write(member('a'))];
    controller.abort(new Error('the caller has gone'));
    release();
    expect(await settle([first, ...others])).toEqual([
      'first',
      expect.objectContaining({ message: 'the caller has gone' }),
      'a',
    ]);
    expect(await noteTexts()).toEqual(['a', 'first']);
  });

  it('has its own Idempotency-Key: repeated it is answered alike, with other content refused', async () => {
    await together(member('a', { key: '1' }), member('damn', { key: '2' }), member('b'));
    const outcomes = await together(
      member('a', { key: '1' }),
      member('other', { key: '1' }),
      member('mild', { key: '2' }),
      member('c'),
    );
    expect(outcomes).toEqual(['a', expect.any(IdempotencyKeyReused), 'mild', 'c']);
    expect(await noteTexts()).toEqual(['a', 'b', 'c', 'mild']);
  });

  it('is told to wait where another one of the group has the same Idempotency-Key', async () => {
    const outcomes = await together(member('a', { key: '1' }), member('a', { key: '1' }));
    expect(outcomes).toEqual(['a', expect.any(RequestStillRunning)]);
    expect(await together(member('a', { key: '1' }), member('b'))).toEqual(['a', 'b']);
    expect(await noteTexts()).toEqual(['a', 'b']);
  });
});
