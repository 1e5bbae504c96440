import { z } from 'zod';
import { kindOf, statusOf, toProblem } from './problem.ts';
import { type RefusalKind, refusal } from './refusal.ts';

class PeriodClosed extends refusal(z.object({ period: z.string() }), {
  code: 'accounting.period-closed',
  kind: 'refused',
  title: 'The period is closed',
  detail: ({ period }) => `Post into a period after ${period}.`,
}) {}

describe('a refusal seen by the caller', () => {
  it('names itself for ever, says what was wrong this time, and carries its facts', () => {
    expect(toProblem(new PeriodClosed({ period: '2026-01' }), 'r1')).toEqual({
      type: 'urn:marimo:problem:accounting.period-closed',
      title: 'The period is closed',
      status: 422,
      code: 'accounting.period-closed',
      detail: 'Post into a period after 2026-01.',
      requestId: 'r1',
      period: '2026-01',
    });
  });

  it('is known by its class and to logs by its name and stack', () => {
    const refused = new PeriodClosed({ period: '2026-01' }, { retryAfterSeconds: 5 });
    expect(refused).toBeInstanceOf(PeriodClosed);
    expect(refused.name).toBe('PeriodClosed');
    expect(refused.stack).toContain('problem.test.ts');
    expect(refused.retryAfterSeconds).toBe(5);
  });

  it('cannot be passed off as another by its facts', () => {
    const facts = {
      period: 'x',
      status: 200,
      code: 'users.ok',
      type: 'about:blank',
      title: 'Fine',
      detail: 'Fine',
    };
    expect(toProblem(new PeriodClosed(facts))).toMatchObject({
      status: 422,
      code: 'accounting.period-closed',
      type: 'urn:marimo:problem:accounting.period-closed',
      title: 'The period is closed',
      detail: 'Post into a period after x.',
    });
  });

  it.each<[RefusalKind, number]>([
    ['malformed', 400],
    ['unauthenticated', 401],
    ['forbidden', 403],
    ['absent', 404],
    ['notAllowed', 405],
    ['conflict', 409],
    ['stale', 412],
    ['tooLarge', 413],
    ['unsupported', 415],
    ['refused', 422],
    ['busy', 429],
    ['headersTooLarge', 431],
    ['badUpstream', 502],
    ['unavailable', 503],
    ['timedOut', 504],
  ])('of kind %s has status %s, and the status tells the kind', (kind, status) => {
    expect(statusOf(kind)).toBe(status);
    expect(kindOf(status)).toBe(kind);
  });

  it('has no kind for a status that no refusal has', () => {
    expect([200, 402, 418, 500].map(kindOf)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('anything else that was thrown', () => {
  it.each([
    ['an error', new Error('password=hunter2')],
    [
      'a driver’s error',
      Object.assign(new Error('hunter2'), { status: 404, code: '23505', detail: 'hunter2' }),
    ],
    [
      'something made to look like a refusal',
      { definition: PeriodClosed.definition, facts: { secret: 'hunter2' } },
    ],
    ['a text', 'hunter2'],
    ['nothing', undefined],
    ['null', null],
  ])('is a bare 500 that tells nothing: %s', (_, thrown) => {
    expect(toProblem(thrown, 'r1')).toEqual({
      type: 'urn:marimo:problem:platform.unknown-failure',
      title: 'Something went wrong on our side',
      status: 500,
      code: 'platform.unknown-failure',
      requestId: 'r1',
    });
  });
});
