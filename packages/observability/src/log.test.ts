import { runInContext } from './context.ts';
import { createLog, type LogOptions } from './log.ts';

function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({ service: 'accounting', write: (line) => lines.push(line), ...options });
  const entry = () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;
  return { log, lines, entry };
}

describe('a line of the log', () => {
  it('is one line of JSON with the time, the level and the service', () => {
    const { log, lines, entry } = capture();
    log.info('entry posted', { entries: 3, amount: 12n });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(entry()).toEqual({
      '@timestamp': expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      'log.level': 'info',
      message: 'entry posted',
      'service.name': 'accounting',
      entries: 3,
      amount: '12',
    });
  });

  it('carries the request, the tenant and the person of the work that wrote it', async () => {
    const { log, entry } = capture();
    await runInContext({ requestId: 'r1', tenantId: 't1', actorId: 'u1' }, async () => {
      await Promise.resolve();
      log.info('working');
    });
    expect(entry()).toMatchObject({ 'request.id': 'r1', 'tenant.id': 't1', 'user.id': 'u1' });
    log.info('idle');
    expect(entry()).not.toHaveProperty(['request.id']);
  });

  it('keeps each line to its own work when hundreds are written at once', () => {
    const { log, lines } = capture();
    for (let n = 0; n < 500; n++) runInContext({ requestId: `r${n}` }, () => log.info('working', { n }));
    const entries = lines.map((line) => JSON.parse(line) as { n: number; 'request.id': string });
    expect(entries).toHaveLength(500);
    expect(entries.every((entry) => entry['request.id'] === `r${entry.n}`)).toBe(true);
  });

  it('carries the fields its log was given, and a line may say otherwise', () => {
    const { log, entry } = capture();
    const relay = log.with({ worker: 'relay' }).with({ queue: 'email' });
    relay.warn('late', { queue: 'audit' });
    expect(entry()).toMatchObject({ worker: 'relay', queue: 'audit', 'log.level': 'warn' });
  });

  it('cannot be passed off as another time, level, message or tenant by its fields', () => {
    const { log, entry } = capture();
    runInContext({ requestId: 'r1', tenantId: 't1' }, () =>
      log.error('refused', {
        message: 'all is well',
        'log.level': 'info',
        'tenant.id': 't2',
        '@timestamp': 0,
      }),
    );
    expect(entry()).toMatchObject({ message: 'refused', 'log.level': 'error', 'tenant.id': 't1' });
    expect(entry()['@timestamp']).not.toBe(0);
  });

  it.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ] as const)('is written at level %s only for %j', (level, written) => {
    const { log, lines } = capture({ level });
    for (const each of ['debug', 'info', 'warn', 'error'] as const) log[each](each);
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(written);
  });

  it.each(['\n', '\r\n', '\r', '\u2028', '\u2029', '\u0085', '\u001b[2J', '\u009b2J'])(
    'stays one line, whatever control characters come from outside (%j)',
    (evil) => {
      const { log, lines, entry } = capture();
      const forged = `x${evil}{"log.level":"info","message":"forged"}`;
      log.with({ [forged]: forged }).info(forged, { deep: [forged], error: new Error(forged) });
      expect(lines).toHaveLength(1);
      expect(lines[0]?.slice(0, -1).match(/[\p{Cc}\u2028\u2029]/gu)).toBeNull();
      expect(entry()['message']).toBe(forged);
    },
  );
});

describe('a line of the log at a terminal', () => {
  const text = () => capture({ form: 'text' });

  it('says when, who and what in plain words, and leaves out the ids', () => {
    const { log, lines } = text();
    runInContext({ requestId: 'r1', tenantId: 't1' }, () => log.info('serving', { port: 8083, to: 'a b' }));
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d accounting serving port=8083 to="a b"\n$/);
    log.warn('late');
    expect(lines[1]).toMatch(/accounting WARN late\n$/);
  });

  it('tells of an error what it is and where it came from', () => {
    const { log, lines } = text();
    log.error('could not post', { error: new Error('posting failed') });
    expect(lines[0]).toContain('ERROR could not post error={"type":"Error","message":"posting failed"');
  });

  it.each(['\n', '\r', '\u2028', '\u001b[2J', '\u009b2J', '"'])(
    'cannot be forged from outside (%j)',
    (evil) => {
      const { log, lines } = text();
      const forged = `x${evil}12:00:00 accounting forged`;
      log.info(forged, { [forged]: forged });
      expect(lines).toHaveLength(1);
      expect(lines[0]?.slice(0, -1).match(/[\p{Cc}\u2028\u2029]/gu)).toBeNull();
      expect(lines[0]).toContain('accounting "x');
    },
  );

  it('hides secrets like any other', () => {
    const { log, lines } = text();
    log.info('connected', { password: 'open sesame' });
    expect(lines[0]).not.toContain('sesame');
  });
});

describe('an error in the log', () => {
  it('shows its type, message, stack, code and what caused it, and nothing of the row that failed', () => {
    const { log, entry } = capture();
    const cause = Object.assign(new TypeError('duplicate key'), {
      code: '23505',
      detail: 'Key (email)=(a@b.c)',
    });
    log.error('could not post', { error: new Error('posting failed', { cause }) });
    expect(entry()['error']).toEqual({
      type: 'Error',
      message: 'posting failed',
      stack_trace: expect.stringContaining('log.test.ts'),
      cause: {
        type: 'TypeError',
        message: 'duplicate key',
        stack_trace: expect.any(String),
        code: '23505',
      },
    });
  });

  it('shows each of several errors', () => {
    const { log, entry } = capture();
    log.error('unreachable', {
      error: new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')]),
    });
    expect(entry()['error']).toMatchObject({
      errors: [{ message: '::1 refused' }, { message: '127.0.0.1 refused' }],
    });
  });
});
