import type { ServerResponse } from 'node:http';
import { type AnyEndpoint, endpoint } from '@marimo/contracts';
import { z } from 'zod';
import { closeAll, gatewayTo, raw, stock, until, upstream } from '../../test/gateway-under-test.ts';

afterEach(closeAll);

const bank: readonly AnyEndpoint[] = [
  endpoint({
    method: 'GET',
    path: '/api/v1/bank/rates',
    summary: '',
    access: 'public',
    replies: { 200: z.unknown() },
  }),
];

describe('a service that hangs', () => {
  it('is limited in concurrent requests, and does not affect other services', async () => {
    const held: ServerResponse[] = [];
    const hanging = await upstream((_, res) => held.push(res));
    const well = await upstream((_, res) => res.end('well'), 'bank');
    const gateway = await gatewayTo([hanging.instance, well.instance], {
      contracts: { stock, bank },
      env: { SERVICE_IN_FLIGHT: '20' },
    });
    const ask = () => fetch(`${gateway.url}/api/v1/stock/open`);
    const waiting = Array.from({ length: 20 }, ask);
    await until(() => held.length === 20);

    const refused = await ask();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await refused.json()).toMatchObject({ code: 'gateway.service-saturated', service: 'stock' });
    expect(hanging.requests).toHaveLength(20);
    const others = await Promise.all(
      Array.from({ length: 50 }, async () => (await fetch(`${gateway.url}/api/v1/bank/rates`)).text()),
    );
    expect(new Set(others)).toEqual(new Set(['well']));
    expect(await gateway.measured('gateway_saturated_total', { upstream: 'stock' })).toBe(1);

    for (const res of held.splice(0)) res.end();
    await Promise.all(waiting);
    const next = ask();
    await until(() => held.length === 1);
    held[0]!.end();
    expect((await next).status).toBe(200);
  });

  it('gets a place back when a client leaves or a request fails', async () => {
    const held: ServerResponse[] = [];
    const hanging = await upstream((req, res) => (req.method === 'POST' ? res.destroy() : held.push(res)));
    const gateway = await gatewayTo([hanging.instance], { env: { SERVICE_IN_FLIGHT: '1' } });
    const url = `${gateway.url}/api/v1/stock/open`;
    for (let at = 0; at < 3; at++) {
      const leaver = new AbortController();
      const left = fetch(url, { signal: leaver.signal }).catch(() => 'left');
      await until(() => held.length === at + 1);
      leaver.abort();
      expect(await left).toBe('left');
      await until(async () => (await fetch(url, { method: 'POST' })).status === 502);
    }
  });

  it('gets no further socket', async () => {
    const hanging = await upstream(() => undefined);
    const gateway = await gatewayTo([hanging.instance], {
      sockets: [{ service: 'stock', path: '/api/v1/stock/socket', bearer: false }],
      env: { SERVICE_IN_FLIGHT: '1' },
    });
    const waiting = fetch(`${gateway.url}/api/v1/stock/open`).catch(() => 'cut');
    await until(() => hanging.requests.length === 1);
    const upgrade =
      'GET /api/v1/stock/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect((await raw(gateway.port, upgrade)).text).toMatch(/503[\s\S]*gateway\.service-saturated/);
    hanging.server.closeAllConnections();
    await waiting;
  });
});
