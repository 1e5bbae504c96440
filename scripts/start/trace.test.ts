import { setTimeout as sleep } from 'node:timers/promises';
import { OtlpReceiver } from '@marimo/testing';
import { registerOrganisation } from './api-client.ts';
import { freshMachine, type RunningPlatform, startPlatformProcess } from './platform-under-test.ts';

jest.setTimeout(180_000);

describe('one posted entry', () => {
  const receiver = new OtlpReceiver();
  let machine: Awaited<ReturnType<typeof freshMachine>>;
  let platform: RunningPlatform;

  beforeAll(async () => {
    machine = await freshMachine();
    const endpoint = await receiver.start();
    platform = await startPlatformProcess({ ...machine, env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
  });

  afterAll(async () => {
    await platform?.kill();
    await receiver.stop();
    machine?.remove();
  });

  it('leaves one trace through the gateway, the service, its relay and the worker', async () => {
    const organisation = await registerOrganisation(platform.origin, 'Traced', 'EUR');
    for (const code of ['cash', 'capital']) {
      await organisation.post('/api/v1/accounting/accounts', { code, name: code, type: 'asset' });
    }
    const traced = traceOf('4bf92f3577b34da6a3ce929d0e0e4736');
    const amount = { amount: '10.00', currency: 'EUR' };
    const posted = await organisation.send(
      '/api/v1/accounting/journal-entries',
      'application/json',
      JSON.stringify({
        entryId: '0192f3c4-7a10-7000-8000-000000000001',
        postingDate: '2026-01-15',
        description: 'Paid-in capital',
        lines: [
          { accountCode: 'cash', side: 'debit', amount },
          { accountCode: 'capital', side: 'credit', amount },
        ],
      }),
      traced.headers,
    );
    expect(posted.status).toBe(201);
    await traced.reaches('gateway', 'accounting', 'workers');
    expect(traced.spans().some(({ service, name }) => service === 'accounting' && /publish/.test(name))).toBe(
      true,
    );
  });

  it('stays in that trace where a service asks another one', async () => {
    const organisation = await registerOrganisation(platform.origin, 'Asking', 'EUR');
    const traced = traceOf('4bf92f3577b34da6a3ce929d0e0e4737');
    const path = '/api/v1/users/me/export'; // users asks workers for the mail it has kept
    const exported = await organisation.send(path, 'application/json', '', traced.headers);
    expect(exported.status).toBe(200);
    await traced.reaches('gateway', 'users', 'workers');
  });

  function traceOf(traceId: string) {
    const callersSpan = '00f067aa0ba902b7';
    const spans = () => receiver.spans.filter((span) => span.traceId === traceId);
    /** What begins in no span of ours. */
    const roots = () => {
      const ids = new Set(spans().map(({ spanId }) => spanId));
      return spans()
        .filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId))
        .map(({ parentSpanId }) => parentSpanId);
    };
    return {
      headers: { traceparent: `00-${traceId}-${callersSpan}-01` },
      spans,
      /** Spans arrive in batches of their services, so a child may come before its parent. */
      async reaches(...services: readonly string[]) {
        const reached = () => new Set(spans().map(({ service }) => service));
        const isWhole = () => services.every((each) => reached().has(each)) && roots().length === 1;
        for (let tries = 0; tries < 200 && !isWhole(); tries += 1) await sleep(100);
        expect([...reached()]).toEqual(expect.arrayContaining([...services]));
        expect(roots()).toEqual([callersSpan]);
      },
    };
  }
});
