import { createLog, createMetrics } from '@marimo/observability';
import { type BreakerSettings, Breakers } from './breaker.ts';

const target = { id: 'users-host-8081', service: 'users' };
const other = { id: 'users-host-9081', service: 'users' };
const log = createLog({ service: 'gateway', level: 'silent' });
let breakers: Breakers;
let metrics: ReturnType<typeof createMetrics>;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  start();
});
afterEach(() => {
  breakers.close();
  jest.useRealTimers();
});

function start(settings: Partial<BreakerSettings> = {}): void {
  metrics = createMetrics('gateway');
  breakers = new Breakers({ metrics, log, settings });
}

/** One call each: `+` succeeds, `-` fails, `0` is given up. Refused calls count as nothing. */
async function calls(outcomes: string, at = target): Promise<number> {
  let letThrough = 0;
  for (const outcome of outcomes) {
    const pass = breakers.enter(at);
    if (pass === undefined) continue;
    letThrough += 1;
    if (outcome === '+') pass.succeeded();
    else if (outcome === '-') pass.failed();
    else pass.abandoned();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
  }
  return letThrough;
}

const state = async () =>
  Number(/^breaker_state\{.*users-host-8081.*\} (\d)$/m.exec(await metrics.render())?.[1]);

describe('a closed breaker', () => {
  it.each([
    ['five failures', '-----', true],
    ['four failures: too few to judge', '----', false],
    ['half of the calls failing', '+-+-+-', true],
    ['less than half failing', '+-+-+', false],
    ['one failure after much success', '++++++++++-', false],
    ['calls given up, which say nothing', '00000000----', false],
  ])('after %s (%s): open %s', async (_, outcomes, open) => {
    await calls(outcomes);
    expect(breakers.isOpen(target)).toBe(open);
    expect(await state()).toBe(open ? 2 : 0);
  });

  it('forgets what is older than its window', async () => {
    await calls('----');
    jest.advanceTimersByTime(11_000);
    await calls('----');
    expect(breakers.isOpen(target)).toBe(false);
    await calls('-');
    expect(breakers.isOpen(target)).toBe(true);
  });

  it('judges outcomes only: calls that hang neither hide failures nor are failures yet', async () => {
    for (let n = 0; n < 100; n++) breakers.enter(target);
    expect(breakers.isOpen(target)).toBe(false);
    await calls('-----');
    expect(breakers.isOpen(target)).toBe(true);
  });

  it('counts an outcome once, however often it is told', async () => {
    const pass = breakers.enter(target);
    for (let n = 0; n < 10; n++) pass?.failed();
    await calls('+');
    expect(breakers.isOpen(target)).toBe(false);
  });

  it('is one for each instance', async () => {
    await calls('-----');
    expect(breakers.isOpen(other)).toBe(false);
    expect(await calls('+', other)).toBe(1);
  });
});

describe('an open breaker', () => {
  beforeEach(() => calls('-----'));

  it('lets nothing through for 30 s', async () => {
    jest.advanceTimersByTime(29_900);
    expect(await calls('+++')).toBe(0);
    expect([breakers.isOpen(target), breakers.stateOf(target)]).toEqual([true, 'open']);
  });

  it('is then tried with three probes at once and no more', () => {
    jest.advanceTimersByTime(30_000);
    expect(breakers.isOpen(target)).toBe(false);
    const passes = Array.from({ length: 10 }, () => breakers.enter(target));
    expect(passes.filter((pass) => pass !== undefined)).toHaveLength(3);
    expect(breakers.isOpen(target)).toBe(true);
  });

  it('closes when all three succeed', async () => {
    jest.advanceTimersByTime(30_000);
    expect(await calls('++')).toBe(2);
    expect([await state(), breakers.stateOf(target)]).toEqual([1, 'half-open']);
    expect(await calls('+')).toBe(1);
    expect([await state(), breakers.stateOf(target)]).toEqual([0, 'closed']);
    expect(await calls('++++++')).toBe(6);
    expect(await metrics.render()).toContain(
      'breaker_transitions_total{target="users",to="closed",service="gateway"} 1',
    );
  });

  it('starts afresh when it has closed: an old window does not open it again', async () => {
    jest.advanceTimersByTime(30_000);
    await calls('+++');
    await calls('----');
    expect(breakers.isOpen(target)).toBe(false);
  });

  it('opens again for as long when one probe fails', async () => {
    jest.advanceTimersByTime(30_000);
    await calls('++-');
    expect(breakers.isOpen(target)).toBe(true);
    jest.advanceTimersByTime(29_900);
    expect(await calls('+')).toBe(0);
    jest.advanceTimersByTime(100);
    expect(await calls('+++')).toBe(3);
    expect(await state()).toBe(0);
  });

  it('learns nothing from a probe that was given up, and gives its place to another', async () => {
    jest.advanceTimersByTime(30_000);
    expect(await calls('0000000')).toBe(7);
    expect(await state()).toBe(1);
    await calls('+++');
    expect(await state()).toBe(0);
  });

  it('is not kept half open by a long import among its probes: others take its place and close it', async () => {
    jest.advanceTimersByTime(30_000);
    const long = breakers.enter(target);
    expect(await calls('++')).toBe(2);
    expect([await calls('+'), breakers.stateOf(target)]).toEqual([0, 'half-open']);
    jest.advanceTimersByTime(2_000);
    expect([await calls('+'), breakers.stateOf(target)]).toEqual([1, 'closed']);
    long?.failed(); // began before it closed
    expect(await calls('+++')).toBe(3);
  });

  it('does not stay half open for ever when its probes hang: they have failed after a while', async () => {
    jest.advanceTimersByTime(30_000);
    const hung = [1, 2, 3].map(() => breakers.enter(target));
    expect(await calls('+')).toBe(0);
    jest.advanceTimersByTime(31_000);
    expect(await state()).toBe(2);
    jest.advanceTimersByTime(30_000);
    for (const pass of hung) pass?.failed(); // too late to count
    expect(await calls('+++')).toBe(3);
    expect(await state()).toBe(0);
  });

  it('is not closed or opened by calls that began before it opened', async () => {
    const before = [1, 2, 3].map(() => breakers.enter(other));
    await calls('-----', other);
    for (const pass of before) pass?.succeeded();
    expect(breakers.isOpen(other)).toBe(true);
    jest.advanceTimersByTime(30_000);
    await calls('+++', other);
    expect(await calls('+', other)).toBe(1);
  });
});

describe('the breakers of all instances', () => {
  it('share one timer', () => {
    const timers = jest.getTimerCount();
    for (let n = 0; n < 100; n++) breakers.enter({ id: `users-${n}`, service: 'users' });
    expect(jest.getTimerCount()).toBe(timers);
  });

  it('are forgotten, with their metrics, when an instance has not been called for ten minutes', async () => {
    await calls('-----');
    jest.advanceTimersByTime(599_000);
    expect(await metrics.render()).toContain('users-host-8081');
    jest.advanceTimersByTime(3_000);
    expect(await metrics.render()).not.toContain('users-host-8081');
    expect(breakers.isOpen(target)).toBe(false);
  });

  it('cannot be told to stay open for less than their window', () => {
    expect(() => new Breakers({ metrics, log, settings: { openMs: 5_000 } })).toThrow('window');
  });

  it('cost nothing once closed, whatever calls still end', async () => {
    const pass = breakers.enter(target);
    breakers.close();
    pass?.failed();
    await Promise.resolve();
    expect(jest.getTimerCount()).toBe(0);
  });
});
