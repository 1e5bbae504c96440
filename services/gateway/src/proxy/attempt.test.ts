import { request as httpRequest, type IncomingMessage } from 'node:http';
import { MalformedRequest } from '@marimo/contracts';
import type { Dispatcher } from 'undici';
import { closeAll, gatewayTo, instanceAt, raw, until, upstream } from '../../test/gateway-under-test.ts';
import type { ProxiedRequest } from '../proxied-request.ts';
import { attempt } from './attempt.ts';
import { failureOf, refusalFor } from './outcome.ts';

afterEach(closeAll);

const get = (path: string, version = '1.1') => `GET ${path} HTTP/${version}\r\nHost: a\r\n\r\n`;

describe('forwarding a reply', () => {
  it('keeps status, headers and body, and separate cookies', async () => {
    const stock = await upstream((_, res) => {
      res.writeHead(201, { 'set-cookie': ['a=1', 'b=2'], 'x-answer': 'yes', 'content-type': 'text/plain' });
      res.end('made');
    });
    const gateway = await gatewayTo([stock.instance]);
    const answer = await fetch(`${gateway.url}/api/v1/stock/open?q=1`);
    expect(answer.status).toBe(201);
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(answer.headers.get('x-answer')).toBe('yes');
    expect(answer.headers.get('x-marimo-attempts')).toBe('1');
    expect(await answer.text()).toBe('made');
    expect(stock.requests[0]).toMatchObject({ method: 'GET', url: '/api/v1/stock/open?q=1' });
  });

  it.each([
    ['short, with its length', 1, true],
    ['short, in chunks', 1, false],
    ['long, with its length', 400, true],
  ])('keeps the body byte for byte: %s', async (_, times, withLength) => {
    const every = Buffer.alloc(256 * times, Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
    const stock = await upstream((_, res) => {
      res.writeHead(200, withLength ? { 'content-length': every.length } : {}).end(every);
    });
    const gateway = await gatewayTo([stock.instance]);
    const answer = await fetch(`${gateway.url}/api/v1/stock/open`);
    expect(Buffer.from(await answer.arrayBuffer()).equals(every)).toBe(true);
    expect(answer.headers.get('content-length')).toBe(withLength ? String(every.length) : null);
  });

  it('skips 1xx replies', async () => {
    const stock = await upstream((_, res) => {
      res.writeEarlyHints({ link: '</style.css>; rel=preload' });
      res.writeProcessing();
      res.end('done');
    });
    const gateway = await gatewayTo([stock.instance]);
    const { text } = await raw(gateway.port, get('/api/v1/stock/open'));
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).not.toMatch(/HTTP\/1\.1 10/);
  });

  it('gives HEAD the headers of GET and no body, and keeps the connection usable', async () => {
    const stock = await upstream((_, res) => res.writeHead(200, { 'content-length': 4 }).end('body'));
    const gateway = await gatewayTo([stock.instance]);
    const head = 'HEAD /api/v1/stock/open HTTP/1.1\r\nHost: a\r\n\r\n';
    const { text } = await raw(gateway.port, head + get('/api/v1/stock/open'), { answers: 2 });
    const [first = '', second = '', body] = text.split('\r\n\r\n');
    expect(first).toMatch(/content-length: 4/);
    expect(second).toMatch(/^HTTP\/1\.1 200/);
    expect(body).toBe('body');
  });

  it.each([204, 304])('ends a %d without a body', async (status) => {
    const stock = await upstream((_, res) => res.writeHead(status, { etag: '"1"' }).end());
    const gateway = await gatewayTo([stock.instance]);
    const { text } = await raw(gateway.port, get('/api/v1/stock/open') + get('/api/v1/stock/open'), {
      answers: 2,
    });
    expect(text.split('\r\n\r\n').filter((part) => part.startsWith(`HTTP/1.1 ${status}`))).toHaveLength(2);
    expect(text).toMatch(/etag: "1"/);
    expect(text).not.toMatch(/transfer-encoding|content-length/i);
  });

  it('removes the length of a 204, for which a client would wait', async () => {
    const stock = await upstream((req) =>
      req.socket.end('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'),
    );
    const gateway = await gatewayTo([stock.instance]);
    const { text } = await raw(gateway.port, get('/api/v1/stock/open'));
    expect(text).toMatch(/^HTTP\/1\.1 204/);
    expect(text).not.toMatch(/content-length/i);
  });

  it('drops trailers', async () => {
    const stock = await upstream((_, res) => {
      res.writeHead(200, { trailer: 'x-checksum' });
      res.write('body');
      res.addTrailers({ 'x-checksum': '1' });
      res.end();
    });
    const gateway = await gatewayTo([stock.instance]);
    const { text } = await raw(gateway.port, get('/api/v1/stock/open'));
    expect(text).toMatch(/\r\n0\r\n\r\n$/);
    expect(text).not.toMatch(/x-checksum|trailer/i);
  });

  it('sends the first event of a stream while the stream continues', async () => {
    let speak = () => {};
    const stock = await upstream((_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      speak = () => res.write('data: 1\n\n');
    });
    const gateway = await gatewayTo([stock.instance]);
    const answer = await fetch(`${gateway.url}/api/v1/stock/open`); // resolves with the headers, before the first byte
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    speak();
    const reader = answer.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('data: 1\n\n');
    await reader.cancel();
    await until(() => stock.sockets.size === 0);
  });

  it('applies back pressure of a slow client to the service', async () => {
    let written = 0;
    const chunk = Buffer.alloc(65_536);
    const stock = await upstream((_, res) => {
      res.writeHead(200, { 'content-length': 1_600 * chunk.length }); // 100 MiB
      const fill = () => {
        while (written < 1_600 * chunk.length) {
          written += chunk.length;
          if (!res.write(chunk)) return void res.once('drain', fill);
        }
        res.end();
      };
      fill();
    });
    const gateway = await gatewayTo([stock.instance]);
    const client = httpRequest(`${gateway.url}/api/v1/stock/open`).end();
    const answer = await new Promise<IncomingMessage>((resolve) => client.once('response', resolve));
    answer.pause();
    let before = -1;
    await until(async () => {
      if (written === before) return true; // it has stopped
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return false;
    });
    expect(written).toBeLessThan(40 * 1_048_576);
    let received = 0;
    for await (const part of answer) received += (part as Buffer).length;
    expect(received).toBe(1_600 * chunk.length);
  });
});

describe('a service that breaks off', () => {
  it("before its reply gives a 502 problem, and the client's connection stays usable", async () => {
    let calls = 0;
    const stock = await upstream((req, res) => {
      calls += 1;
      if (calls === 1) req.socket.resetAndDestroy();
      else res.end('fine');
    });
    const gateway = await gatewayTo([stock.instance]);
    const post = 'POST /api/v1/stock/open HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}';
    const { text, ended } = await raw(gateway.port, post + get('/api/v1/stock/open'), { answers: 2 });
    expect(text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(text).toMatch(/content-type: application\/problem\+json/);
    expect(text).toMatch(/"code":"platform.bad-upstream"/);
    expect(text).toMatch(/fine/);
    expect(ended).toBe('open');
  });

  it('and cannot be reached gives a 503 problem: nothing was changed', async () => {
    const gateway = await gatewayTo([instanceAt(1)]);
    const answer = await fetch(`${gateway.url}/api/v1/stock/open`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toMatchObject({ code: 'platform.unavailable', service: 'stock' });
  });

  it.each([
    ['with a length', { 'content-length': 100 }, '1.1'],
    ['in chunks', {}, '1.1'],
    ['to an HTTP/1.0 client, for whom the end of the connection is the end of the body', {}, '1.0'],
  ])(
    'in the middle of its reply %s aborts the connection, and never ends it cleanly',
    async (_, headers, version) => {
      const stock = await upstream((req, res) => {
        res.writeHead(200, headers);
        res.write('half');
        setTimeout(() => req.socket.resetAndDestroy(), 50);
      });
      const gateway = await gatewayTo([stock.instance]);
      const { text, ended } = await raw(gateway.port, get('/api/v1/stock/open', version), { toTheEnd: true });
      expect(text).toMatch(/200 OK/);
      expect(text).not.toMatch(/\r\n0\r\n/);
      expect(ended).toBe(version === '1.0' ? 'reset' : 'closed');
    },
  );

  it('with a reply that is not HTTP gives a 502 problem', async () => {
    const stock = await upstream((req) => req.socket.end('HTTP/1.1 200 OK\r\nbad header\r\n\r\n'));
    const gateway = await gatewayTo([stock.instance]);
    const answer = await fetch(`${gateway.url}/api/v1/stock/open`, { method: 'POST' });
    expect(answer.status).toBe(502);
  });
});

describe('the deadline of a request', () => {
  it('is sent to the service, whatever the client claims', async () => {
    const stock = await upstream((_, res) => res.end());
    const gateway = await gatewayTo([stock.instance]);
    const before = Date.now();
    await fetch(`${gateway.url}/api/v1/stock/open`, { headers: { 'x-marimo-deadline': '9999999999999' } });
    const given = Number(stock.requests[0]!.headers['x-marimo-deadline']);
    expect(given).toBeGreaterThanOrEqual(before + 15_000);
    expect(given).toBeLessThanOrEqual(Date.now() + 15_000);
  });

  it('gives a 504 problem when exceeded, and cancels the request at the service', async () => {
    let gone = false;
    const stock = await upstream((_, res) =>
      res.on('close', () => {
        gone = true;
      }),
    );
    const gateway = await gatewayTo([stock.instance]);
    const answer = await fetch(`${gateway.url}/api/v1/stock/hurried`);
    expect(answer.status).toBe(504);
    expect(await answer.json()).toMatchObject({ code: 'platform.deadline-exceeded' });
    await until(() => gone);
  });

  it('applies until the reply begins, which may then take longer', async () => {
    const stock = await upstream((_, res) => {
      res.write('begun ');
      setTimeout(() => res.end('and ended'), 1_500);
    });
    const gateway = await gatewayTo([stock.instance]);
    const answer = await fetch(`${gateway.url}/api/v1/stock/hurried`);
    expect(await answer.text()).toBe('begun and ended');
  });
});

describe('a request that undici refuses', () => {
  it("is the client's fault, and no failure of the instance", async () => {
    const refusing = {
      dispatch() {
        throw Object.assign(new Error('invalid header'), { code: 'UND_ERR_INVALID_ARG' });
      },
    } as unknown as Dispatcher;
    const proxied = { interruptWith() {}, cancelled: undefined } as unknown as ProxiedRequest;
    const outcome = await attempt(refusing, { method: 'GET', path: '/' }, proxied, 'stock', () => false);
    if (outcome.kind !== 'failed') throw new Error('It was sent');
    expect(failureOf(outcome)).toBe('given-up');
    expect(refusalFor(outcome, 'stock')).toBeInstanceOf(MalformedRequest);
  });
});
