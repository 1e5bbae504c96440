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
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
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
      { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    );
    expect(posted.status).toBe(201);

    const trace = () => receiver.spans.filter((span) => span.traceId === traceId);
    const services = () => new Set(trace().map(({ service }) => service));
    const everyone = new Set(['gateway', 'accounting', 'users', 'workers']); // accounting asks users for the currency
    for (let tries = 0; tries < 200 && services().size < everyone.size; tries += 1) await sleep(100);

    expect(services()).toEqual(everyone);
    const ids = new Set(trace().map(({ spanId }) => spanId));
    const roots = trace().filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId));
    expect(roots.map(({ parentSpanId }) => parentSpanId)).toEqual(['00f067aa0ba902b7']);
    expect(trace().some(({ service, name }) => service === 'accounting' && /publish/.test(name))).toBe(true);
  });
});
