import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Envelope, newId } from '@marimo/contracts';
import { TenantGroups } from './tenant-groups.ts';

const [ours, theirs] = [newId(), newId()];
class DatabaseGone extends Error {}

let handled: string[][];
let running: number;
let mostRunning: number;
let fail: (group: readonly string[]) => unknown;
let groups: TenantGroups<string>;

beforeEach(() => {
  [handled, running, mostRunning, fail] = [[], 0, 0, () => undefined];
  groups = groupsOf(2, 3);
});

function groupsOf(groupsAtOnce: number, eventsInGroup: number): TenantGroups<string> {
  return new TenantGroups({
    groupsAtOnce,
    eventsInGroup,
    async handle(group: readonly Envelope[]) {
      const subjects = group.map(({ subject }) => subject);
      expect(new Set(group.map(({ tenantid }) => tenantid)).size).toBe(1);
      mostRunning = Math.max(mostRunning, ++running);
      await nextTurn();
      running -= 1;
      const failure = fail(subjects);
      if (failure !== undefined) throw failure;
      handled.push(subjects);
      return subjects.map((subject) => `${subject} is done`);
    },
    concernsAll: (error) => error instanceof DatabaseGone,
  });
}

function event(subject: string, tenantid = ours): Envelope {
  return { id: newId(), subject, tenantid } as Envelope;
}

const handle = (...subjects: string[]) => subjects.map((subject) => groups.handle(event(subject)));

describe('events that wait at the same time', () => {
  it('share a group, up to its size, and each gets its own outcome', async () => {
    const outcomes = await Promise.all(handle('a', 'b', 'c', 'd'));
    expect(handled).toEqual([['a', 'b', 'c'], ['d']]);
    expect(outcomes).toEqual(['a is done', 'b is done', 'c is done', 'd is done']);
  });

  it('share none with those of another tenant, who come in turn', async () => {
    const all = [
      ...handle('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      ...['x', 'y'].map((subject) => groups.handle(event(subject, theirs))),
    ];
    await Promise.all(all);
    expect(handled.map((group) => group.join(''))).toEqual(['abc', 'xy', 'def', 'g']);
  });

  it('are handled in so many groups at once and no more, one of each tenant', async () => {
    const tenants = Array.from({ length: 6 }, () => newId());
    await Promise.all(
      tenants.flatMap((tenant) => [1, 2, 3, 4].map((n) => groups.handle(event(`${n}`, tenant)))),
    );
    expect(mostRunning).toBe(2);
    await Promise.all(handle('a', 'b', 'c', 'd', 'e', 'f', 'g'));
    groups = groupsOf(5, 1);
    mostRunning = 0;
    await Promise.all(handle('a', 'b', 'c', 'd'));
    expect(mostRunning).toBe(1);
  });
});

describe('when a group fails', () => {
  it('each of its events is tried alone, and only the one that cannot be done fails', async () => {
    fail = (group) => (group.includes('bad') ? new Error('it does not fit') : undefined);
    const outcomes = await Promise.allSettled(handle('a', 'bad', 'c', 'd'));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(handled).toEqual([['a'], ['c'], ['d']]);
  });

  it('for a reason that concerns all, none is tried alone, and later ones are tried again', async () => {
    let tries = 0;
    fail = () => (++tries === 1 ? new DatabaseGone() : undefined);
    const outcomes = await Promise.allSettled(handle('a', 'b', 'c'));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(await Promise.all(handle('a', 'b'))).toEqual(['a is done', 'b is done']);
    expect(tries).toBe(2);
  });
});
