import { DeadlineExceeded } from '@marimo/contracts';
import { deadlineFrom, startDeadline } from './deadline.ts';

const now = 1_800_000_000_000;

describe('the deadline in a header', () => {
  it.each([
    ['none', undefined, now + 15_000],
    ['an earlier one', String(now + 2_000), now + 2_000],
    ['one that has passed', String(now - 5), now - 5],
    ['a later one, which cannot lengthen', String(now + 60_000), now + 15_000],
    ['an absurd one', '999999999999999', now + 15_000],
    ['no number', 'soon', now + 15_000],
    ['a negative one', '-1', now + 15_000],
    ['a broken one', '1.8e12', now + 15_000],
    ['one with something behind it', `${now}, ${now}`, now + 15_000],
    ['nothing in it', '', now + 15_000],
    ['too many digits', '1'.repeat(400), now + 15_000],
  ])('%s', (_, header, expected) => {
    expect(deadlineFrom(header, 15_000, now)).toBe(expected);
  });
});

describe('the deadline of a call', () => {
  it('fires when it passes, at once when it has passed, and never once the call has ended', async () => {
    const passed = startDeadline(Date.now() - 1);
    expect(passed.signal.reason).toBeInstanceOf(DeadlineExceeded);
    passed.end();

    const soon = startDeadline(Date.now() + 10);
    await new Promise((resolve) => soon.signal.addEventListener('abort', resolve));
    expect(soon.signal.reason).toBeInstanceOf(DeadlineExceeded);
    soon.end();

    const ended = startDeadline(Date.now() + 10);
    ended.end();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(ended.signal.aborted).toBe(false);
  });

  it('passes on that the caller has given up, before or while', () => {
    const caller = new AbortController();
    const deadline = startDeadline(Date.now() + 10_000, caller.signal);
    caller.abort(new Error('gone'));
    expect(deadline.signal.reason).toEqual(new Error('gone'));
    deadline.end();
    const late = startDeadline(Date.now() + 10_000, caller.signal);
    expect(late.signal.reason).toEqual(new Error('gone'));
    late.end();
  });

  it('does not wait for a retry that would come too late, and stops waiting when the caller leaves', async () => {
    const deadline = startDeadline(Date.now() + 1_000);
    expect(await deadline.leavesTimeFor(5_000)).toBe(false);
    expect(await deadline.leavesTimeFor(1)).toBe(true);
    deadline.end();

    const caller = new AbortController();
    const left = startDeadline(Date.now() + 60_000, caller.signal);
    const waiting = left.leavesTimeFor(30_000);
    caller.abort();
    expect(await waiting).toBe(false);
    left.end();
  });
});
