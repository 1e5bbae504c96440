import { request as httpRequest, type RequestListener } from 'node:http';
import {
  closeAll,
  type GatewayUnderTest,
  gatewayTo,
  until,
  upstream,
} from '../../test/gateway-under-test.ts';

afterEach(closeAll);

/** A service that holds each request in one phase, and counts those it still believes in. */
async function heldIn(phase: 'before headers' | 'in the body' | 'in the upload') {
  let running = 0;
  const hold: RequestListener = (req, res) => {
    running += 1;
    res.on('close', () => {
      running -= 1;
    });
    req.on('error', () => {});
    if (req.url?.includes('ping')) return void res.end('pong');
    if (phase === 'in the body') res.writeHead(200).write('part');
    if (phase === 'in the upload') req.once('data', () => {}).resume();
  };
  const stock = await upstream(hold);
  return { stock, running: () => running };
}

/** Begins a request, and hangs up when `when` comes true. */
async function beginAndLeave(gateway: GatewayUnderTest, phase: string, when: () => boolean): Promise<void> {
  const upload = phase === 'in the upload';
  const path = upload ? '/api/v1/stock/import' : '/api/v1/stock/open';
  const client = httpRequest(`${gateway.url}${path}`, { method: upload ? 'POST' : 'GET', agent: false });
  client.on('error', () => {});
  client.on('response', (res) => res.on('error', () => {}).resume());
  if (upload) client.write(Buffer.alloc(200_000));
  else client.end();
  await until(when);
  client.destroy();
}

const phases = ['before headers', 'in the body', 'in the upload'] as const;

describe.each(phases)('a client that leaves %s', (phase) => {
  it('cancels its request at the service at once', async () => {
    const { stock, running } = await heldIn(phase);
    const gateway = await gatewayTo([stock.instance]);
    await beginAndLeave(gateway, phase, () => running() === 1);
    await until(() => running() === 0);
    await until(async () => (await gateway.measured('gateway_client_aborts_total')) === 1);
  });

  it('three hundred times blocks no connection of the pool', async () => {
    const { stock, running } = await heldIn(phase);
    const gateway = await gatewayTo([stock.instance]);
    for (let round = 0; round < 6; round++) {
      const before = stock.requests.length;
      const arrived = () => stock.requests.length >= before + 50;
      await Promise.all(Array.from({ length: 50 }, () => beginAndLeave(gateway, phase, arrived)));
    }
    await until(() => running() === 0);
    // More than the pool has connections, at once: each must find one that works.
    const answers = Array.from({ length: 200 }, () => fetch(`${gateway.url}/api/v1/stock/open?ping`));
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(stock.sockets.size).toBeLessThanOrEqual(128);
  });
});

describe('a client that leaves while its request is queued', () => {
  it('is removed from the queue, and uses no connection', async () => {
    const { stock, running } = await heldIn('before headers');
    const gateway = await gatewayTo([stock.instance]);
    const all = () => stock.requests.length === 128;
    let released = false;
    let waiting = true;
    const holders = Array.from({ length: 128 }, () => beginAndLeave(gateway, '', () => released));
    await until(all);
    const waiters = Array.from({ length: 20 }, () => beginAndLeave(gateway, '', () => !waiting));
    await until(async () => (await gateway.connections()) === 148);
    waiting = false;
    await Promise.all(waiters);
    await until(async () => (await gateway.connections()) === 128);
    const sockets = new Set(stock.sockets);
    released = true;
    await Promise.all(holders);
    await until(() => running() === 0);
    await fetch(`${gateway.url}/api/v1/stock/open?ping`); // stands behind all of them
    expect(stock.requests).toHaveLength(129);
    expect(sockets.size).toBe(128);
  });
});
