import type { RequestListener } from 'node:http';
import type { Registry } from '@marimo/discovery';
import {
  closeAll,
  gatewayTo,
  instanceAt,
  megabyte,
  raw,
  type Upstream,
  until,
  upstream,
} from '../../test/gateway-under-test.ts';
import { Upstreams } from './upstreams.ts';

afterEach(closeAll);

const breaksOff: RequestListener = (req) => req.socket.resetAndDestroy();
const turnsAway: RequestListener = (_, res) => res.writeHead(503, { 'x-from': 'it' }).end('busy');
const answers: RequestListener = (req, res) => req.resume().on('end', () => res.end('fine'));

/** Two instances; the broken one comes first, because equals take turns and a new gateway begins with the first. */
async function brokenAndWhole(broken: RequestListener): Promise<[Upstream, Upstream]> {
  return [await upstream(broken), await upstream(answers)];
}

describe('a request that fails at one instance', () => {
  it.each([
    ['GET', 'breaks off', breaksOff, {}],
    ['PUT', 'breaks off', breaksOff, {}],
    ['GET', 'turns it away', turnsAway, {}],
    ['POST with a key', 'breaks off', breaksOff, { 'idempotency-key': 'k' }],
    ['POST with a key', 'turns it away', turnsAway, { 'idempotency-key': 'k' }],
  ])('is retried at another: %s when it %s', async (method, _, listener, headers) => {
    const [broken, whole] = await brokenAndWhole(listener);
    const gateway = await gatewayTo([broken.instance, whole.instance]);
    const verb = method.split(' ')[0] as string;
    const path = verb === 'PUT' ? 'things/1' : 'open';
    const answer = await fetch(`${gateway.url}/api/v1/stock/${path}`, {
      method: verb,
      headers,
      ...(verb === 'GET' ? {} : { body: '{"a":1}' }),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-marimo-attempts')).toBe('2');
    expect(broken.requests).toHaveLength(1);
    expect(whole.requests).toHaveLength(1);
    expect(await gateway.measured('gateway_retries_total', { upstream: 'stock' })).toBe(1);
  });

  it('is not retried if it is a POST without a key, which may have had its effect', async () => {
    const [broken, whole] = await brokenAndWhole(breaksOff);
    const gateway = await gatewayTo([broken.instance, whole.instance]);
    const answer = await fetch(`${gateway.url}/api/v1/stock/open`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(502);
    expect(answer.headers.get('x-marimo-attempts')).toBe('1');
    expect(whole.requests).toHaveLength(0);
  });

  it('is retried even as a POST if the instance was never reached, also with a long body', async () => {
    const whole = await upstream(answers);
    const gateway = await gatewayTo([instanceAt(1), whole.instance]);
    const answer = await fetch(`${gateway.url}/api/v1/stock/import`, {
      method: 'POST',
      body: Buffer.alloc(megabyte),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-marimo-attempts')).toBe('2');
  });

  it('is not retried once part of a long body was sent, with or without a key', async () => {
    const broken = await upstream((req) => req.once('data', () => req.socket.resetAndDestroy()));
    const whole = await upstream(answers);
    const gateway = await gatewayTo([broken.instance, whole.instance]);
    const answer = await fetch(`${gateway.url}/api/v1/stock/import`, {
      method: 'POST',
      headers: { 'idempotency-key': 'k' },
      body: Buffer.alloc(megabyte),
    });
    expect(answer.status).toBe(502);
    expect(whole.requests).toHaveLength(0);
  });

  it("gets the instance's own refusal if no other could take it", async () => {
    const stock = await upstream(turnsAway);
    const gateway = await gatewayTo([stock.instance]);
    const answer = await fetch(`${gateway.url}/api/v1/stock/open`);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('x-from')).toBe('it');
    expect(await answer.text()).toBe('busy');
    expect(stock.requests).toHaveLength(1);
  });

  it('is not retried for an unavailable service behind the instance, which retries itself', async () => {
    const [needy, other] = await brokenAndWhole((_, res) => {
      res.writeHead(503, { 'x-marimo-about': 'users' }).end();
    });
    const gateway = await gatewayTo([needy.instance, other.instance]);
    const answer = await fetch(`${gateway.url}/api/v1/stock/open`);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('x-marimo-about')).toBeNull();
    expect(other.requests).toHaveLength(0);
  });

  it('is tried at most three times', async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => upstream(breaksOff)));
    const gateway = await gatewayTo(all.map(({ instance }) => instance));
    const answer = await fetch(`${gateway.url}/api/v1/stock/open`);
    expect(answer.status).toBe(502);
    expect(all.flatMap(({ requests }) => requests)).toHaveLength(3);
  });

  it('is retried only within the budget of one in ten', async () => {
    // Two of five at each instance: too few for a breaker, far too many for the budget.
    const flaky = () => {
      let asked = 0;
      return upstream((_, res) => res.writeHead([1, 3].includes(asked++ % 5) ? 503 : 200).end());
    };
    const both = [await flaky(), await flaky()];
    const gateway = await gatewayTo(both.map(({ instance }) => instance));
    for (let at = 0; at < 200; at++) await fetch(`${gateway.url}/api/v1/stock/open`);
    const retries = both.flatMap(({ requests }) => requests).length - 200;
    expect(retries).toBeGreaterThan(10);
    expect(retries).toBeLessThanOrEqual(10 + 20);
  });
});

describe('the breaker of an instance', () => {
  it('opens after failures, so that the next request does not try it', async () => {
    const stock = await upstream((_, res) => res.writeHead(500).end());
    const gateway = await gatewayTo([stock.instance]);
    for (let at = 0; at < 5; at++) await fetch(`${gateway.url}/api/v1/stock/open`);
    const answer = await fetch(`${gateway.url}/api/v1/stock/open`);
    expect(answer.status).toBe(503);
    expect(stock.requests).toHaveLength(5);
  });

  it('ignores refusals, and clients that leave or send too much', async () => {
    const stock = await upstream((req, res) => {
      req.on('error', () => {}).resume();
      if (req.url?.endsWith('?hang')) return;
      if (req.method === 'GET') res.writeHead(404).end();
    });
    const gateway = await gatewayTo([stock.instance]);
    for (let at = 0; at < 10; at++) await fetch(`${gateway.url}/api/v1/stock/open`);
    for (let at = 0; at < 10; at++) {
      const leaving = new AbortController();
      const asked = fetch(`${gateway.url}/api/v1/stock/open?hang`, { signal: leaving.signal }).catch(
        () => {},
      );
      await until(() => stock.requests.filter(({ url }) => url.endsWith('?hang')).length === at + 1);
      leaving.abort();
      await asked;
    }
    const tooMuch = () =>
      new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(2_000));
        },
      });
    for (let at = 0; at < 10; at++) {
      const body = tooMuch();
      const sent = fetch(`${gateway.url}/api/v1/stock/small`, {
        method: 'POST',
        body,
        duplex: 'half',
      } as RequestInit);
      expect((await sent).status).toBe(413);
    }
    expect((await fetch(`${gateway.url}/api/v1/stock/open`)).status).toBe(404);
  });

  it('ignores an unavailable service behind the instance', async () => {
    const needy = await upstream((_, res) => res.writeHead(503, { 'x-marimo-about': 'users' }).end());
    const gateway = await gatewayTo([needy.instance]);
    for (let at = 0; at < 10; at++) await fetch(`${gateway.url}/api/v1/stock/open`);
    expect(needy.requests).toHaveLength(10);
  });

  it('ignores clients too slow for the deadline', async () => {
    const stock = await upstream((req, res) => {
      req.on('error', () => {}).resume();
      if (req.method === 'GET') res.end('fine');
    });
    const gateway = await gatewayTo([stock.instance]);
    const slow =
      'POST /api/v1/stock/hurried HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n';
    const answers = await Promise.all(Array.from({ length: 10 }, () => raw(gateway.port, slow)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([504]));
    expect((await fetch(`${gateway.url}/api/v1/stock/open`)).status).toBe(200);
  });

  it('counts an instance that does not reply in time', async () => {
    const stock = await upstream(() => {});
    const gateway = await gatewayTo([stock.instance]);
    const ask = async () => (await fetch(`${gateway.url}/api/v1/stock/hurried`)).status;
    expect(await Promise.all(Array.from({ length: 5 }, ask))).toEqual([504, 504, 504, 504, 504]);
    expect(await ask()).toBe(503);
  });
});

describe('an overloaded instance', () => {
  it('gets no more requests, so that none waits in an endless queue', async () => {
    const { instance } = await upstream(answers);
    const upstreams = new Upstreams({
      instances: () => [instance],
      onChange: () => () => {},
    } as unknown as Registry);
    const chosen = upstreams.choose({ service: 'stock' }, () => false);
    expect(chosen?.instance).toBe(instance);
    chosen!.inFlight = 1_024;
    expect(upstreams.choose({ service: 'stock' }, () => false)).toBeUndefined();
    await upstreams.close();
  });
});

describe('discovery', () => {
  it('takes effect at once: new instances get requests, removed ones none', async () => {
    const [first, second] = [await upstream(answers), await upstream(answers)];
    const gateway = await gatewayTo([first.instance]);
    const ask = () => fetch(`${gateway.url}/api/v1/stock/open`);
    await ask();
    gateway.announce(second.instance);
    await ask();
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
    await until(() => first.sockets.size === 0);
  });

  it('supports a rolling restart under load without a failed request, including writes without a key', async () => {
    const slowly: RequestListener = (req, res) =>
      req.resume().on('end', () => setTimeout(() => res.end(), 5));
    let running = [await upstream(slowly), await upstream(slowly)];
    const gateway = await gatewayTo(running.map(({ instance }) => instance));
    const statuses: number[] = [];
    let restarting = true;
    const ask = async (method: string) => {
      while (restarting) {
        const body = method === 'POST' ? '{}' : null;
        statuses.push((await fetch(`${gateway.url}/api/v1/stock/open`, { method, body })).status);
      }
    };
    const asking = ['GET', 'POST', 'GET', 'POST', 'GET', 'POST'].map(ask);
    for (let round = 0; round < 6; round++) {
      const soFar = statuses.length;
      await until(() => statuses.length >= soFar + 20);
      const [old, staying] = running as [Upstream, Upstream];
      running = [staying, await upstream(slowly)];
      gateway.announce(...running.map(({ instance }) => instance));
      // As the kit stops a service: it serves on for a moment, because the last requests are on their way, and then
      // finishes what runs.
      await new Promise((resolve) => setTimeout(resolve, 100));
      await new Promise((resolve) => old.server.close(resolve));
    }
    restarting = false;
    await Promise.all(asking);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('spreads requests over all instances', async () => {
    const all = [await upstream(answers), await upstream(answers)];
    const gateway = await gatewayTo(all.map(({ instance }) => instance));
    for (let at = 0; at < 10; at++) await fetch(`${gateway.url}/api/v1/stock/open`);
    expect(all.map(({ requests }) => requests.length)).toEqual([5, 5]);
  });
});
