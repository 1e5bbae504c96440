import { OtlpReceiver } from '@marimo/testing/outside';
import { createLog } from './log.ts';
import { continueTrace, currentTraceparent, inSpan, startTracing } from './trace.ts';

const remote = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a trace', () => {
  const receiver = new OtlpReceiver();
  let endpoint: string;
  beforeAll(async () => {
    endpoint = await receiver.start();
  });
  beforeEach(() => receiver.spans.splice(0));
  afterAll(() => receiver.stop());

  it('runs through two services of one process and a queue, each span under the name of its service', async () => {
    const tracings = await Promise.all(
      ['gateway', 'users'].map((service) => startTracing({ endpoint: `${endpoint}/`, service })),
    );
    let onTheQueue: string | undefined;
    await inSpan('gateway', 'POST /api/v1/users/login', { traceparent: remote }, async () => {
      await Promise.resolve();
      await inSpan('users', 'login', { attributes: { attempt: 1 } }, async () => {
        onTheQueue = currentTraceparent();
      });
    });
    expect(currentTraceparent()).toBeUndefined();
    await inSpan('users', 'send mail', { traceparent: onTheQueue }, async () => {});
    await Promise.all(tracings.map((tracing) => tracing.close()));

    const of = (name: string) => receiver.spans.find((span) => span.name === name)!;
    const [request, login, mail] = [of('POST /api/v1/users/login'), of('login'), of('send mail')];
    expect([request.service, login.service, mail.service]).toEqual(['gateway', 'users', 'users']);
    expect(new Set(receiver.spans.map((span) => span.traceId))).toEqual(new Set([remote.split('-')[1]]));
    expect([request.parentSpanId, login.parentSpanId, mail.parentSpanId]).toEqual([
      remote.split('-')[2],
      request.spanId,
      login.spanId,
    ]);
    expect(login.attributes).toEqual([{ key: 'attempt', value: { intValue: 1 } }]);
  });

  it('marks the span of work that throws, without the secrets of its message, and throws on', async () => {
    const tracing = await startTracing({ endpoint, service: 'users' });
    const failing = inSpan('users', 'connect', {}, async () => {
      throw new Error('postgres://marimo:hunter2@db refused');
    });
    await expect(failing).rejects.toThrow('refused');
    await tracing.close();
    const [span] = receiver.spans;
    expect(span?.status.code).toBe(2);
    expect(JSON.stringify(span?.events)).toContain('refused');
    expect(JSON.stringify(span)).not.toContain('hunter2');
  });

  it('is not sent where the caller decided so, and hands that decision on', async () => {
    const tracing = await startTracing({ endpoint, service: 'users' });
    const handedOn = await inSpan('users', 'login', { traceparent: remote.replace(/01$/, '00') }, async () =>
      currentTraceparent(),
    );
    await tracing.close();
    expect(receiver.spans).toEqual([]);
    expect(handedOn).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$/);
  });

  it('is kept in the share that was asked for', async () => {
    const tracing = await startTracing({ endpoint, service: 'users', sampleRatio: 0 });
    await inSpan('users', 'login', {}, async () => {});
    await tracing.close();
    expect(receiver.spans).toEqual([]);
  });

  it('tells once when the receiver stops taking spans, and the work goes on', async () => {
    const losses: (Error | undefined)[] = [];
    receiver.status = 400;
    const tracing = await startTracing({ endpoint, service: 'users', onLoss: (error) => losses.push(error) });
    // More than one batch of 512 spans.
    for (let n = 0; n < 600; n++) expect(await inSpan('users', 'login', {}, async () => n)).toBe(n);
    await tracing.close();
    receiver.status = 200;
    expect(losses).toHaveLength(1);
  });

  it('stops though the receiver is away', async () => {
    const gone = new OtlpReceiver();
    const nowhere = await gone.start();
    await gone.stop();
    const tracing = await startTracing({ endpoint: nowhere, service: 'users' });
    await inSpan('users', 'login', {}, async () => {});
    await tracing.close();
  });
});

describe('without a receiver', () => {
  it('the ids of the caller are still handed on and stand in the log', async () => {
    const lines: string[] = [];
    const log = createLog({ service: 'users', write: (line) => lines.push(line) });
    const handedOn = await inSpan('users', 'login', { traceparent: remote }, async () => {
      log.info('working');
      return currentTraceparent();
    });
    expect(handedOn).toBe(remote);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      'trace.id': '0af7651916cd43dd8448eb211c80319c',
      'span.id': 'b7ad6b7169203331',
    });
    expect(await continueTrace(remote, async () => currentTraceparent())).toBe(remote);
  });

  it('no trace begins', async () => {
    expect(await inSpan('users', 'login', {}, async () => currentTraceparent())).toBeUndefined();
    expect(continueTrace(undefined, currentTraceparent)).toBeUndefined();
  });

  it.each([
    '',
    'x',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    `${remote}\r\nx: y`,
    'ff-0-0-01',
    `${remote}-more`,
    remote.replace(/^00/, 'ff'),
  ])('a traceparent that is not one is ignored: %j', async (traceparent) => {
    expect(continueTrace(traceparent, currentTraceparent)).toBeUndefined();
  });
});
