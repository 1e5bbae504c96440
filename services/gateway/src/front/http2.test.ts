import { setTimeout as sleep } from 'node:timers/promises';
import { type Upstream, until, upstream } from '../../test/gateway-under-test.ts';
import { asking, flags, frame, frameTypes, get, headerBlock } from '../../test/http2-frames.ts';
import {
  answering,
  answerTo,
  ask,
  closeHttp2,
  gatewayWith,
  holding,
  open,
  resetsOf,
} from '../../test/http2-under-test.ts';

afterEach(closeHttp2);

describe('a request over HTTP/2', () => {
  it('has the headers, policies and reply of HTTP/1.1', async () => {
    const stock = await answering();
    const gateway = await gatewayWith(stock);
    const session = await gateway.session();
    const answer = await ask(session, {
      ':path': '/api/v1/stock/things/1?q=1',
      ':authority': 'erp.example',
      authorization: 'Bearer good-1',
      cookie: ['a=1', 'b=2'],
      'x-user-id': 'spoofed',
      'x-forwarded-for': 'spoofed',
      x_tenant_id: 'spoofed',
      te: 'trailers',
    });
    expect(answer).toMatchObject({ status: 200, text: 'answer' });
    expect(answer.headers).toMatchObject({
      'x-marimo-attempts': '1',
      'x-content-type-options': 'nosniff',
      'ratelimit-remaining': expect.any(String),
    });
    const [{ url, headers }] = stock.requests as [Upstream['requests'][number]];
    expect(url).toBe('/api/v1/stock/things/1?q=1');
    expect(headers).toMatchObject({
      'x-forwarded-host': 'erp.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '127.0.0.1',
      cookie: 'a=1; b=2',
    });
    expect(JSON.stringify(headers)).not.toMatch(/spoofed|"te"|":[a-z]/);
  });

  it.each(['/api/v1/stock/open', '/health'])(
    'with a method of its own making is refused, and counted as any other such: %s',
    async (path) => {
      const gateway = await gatewayWith(await answering());
      const session = await gateway.session();
      for (const method of ['ODD1', 'ODD2', 'TRACE']) {
        const { status } = await answerTo(session.request({ ':method': method, ':path': path }));
        expect(status).toBe(405);
      }
      await until(async () => (await gateway.measured('http_requests_total', { method: 'other' })) === 3);
    },
  );

  it('for a page of the gateway counts against the limits, and says so', async () => {
    const session = await (await gatewayWith(await answering())).session();
    expect(await ask(session, { ':path': '/openapi.json' })).toMatchObject({
      status: 200,
      headers: { 'ratelimit-limit': expect.any(String), 'x-request-id': expect.any(String) },
    });
  });

  it('is refused without a token', async () => {
    const session = await (await gatewayWith(await answering())).session();
    expect(await ask(session, { ':path': '/api/v1/stock/things/1' })).toMatchObject({
      status: 401,
      headers: { 'content-type': 'application/problem+json', 'www-authenticate': 'Bearer' },
    });
    const head = await ask(session, { ':method': 'HEAD', ':path': '/api/v1/stock/things/1' });
    expect(head).toMatchObject({ status: 401, text: '' });
    expect(await ask(session)).toMatchObject({ status: 200 }); // the connection is as good as before
  });

  it.each([
    ['with a stated length', { 'content-length': 100_000 }, '100000'],
    ['without one, which HTTP/2 allows', {}, undefined],
  ])('carries a body %s', async (_, lengthHeader, seen) => {
    let received = 0;
    const stock = await upstream((req, res) => {
      req.on('data', (part: Buffer) => {
        received += part.length;
      });
      req.on('end', () => res.end('taken'));
    });
    const session = await (await gatewayWith(stock)).session();
    const stream = session.request({ ':method': 'POST', ...open, ...lengthHeader });
    stream.end(Buffer.alloc(100_000));
    expect(await answerTo(stream)).toMatchObject({ status: 200, text: 'taken' });
    expect(received).toBe(100_000);
    expect(stock.requests[0]!.headers['content-length']).toBe(seen);
  });

  it("is refused while it is sent if its body exceeds the route's limit, and affects no other stream", async () => {
    const stock = await upstream((req) => req.on('error', () => {}).resume());
    const gateway = await gatewayWith(stock);
    const session = await gateway.session();
    const stream = session.request({ ':method': 'POST', ':path': '/api/v1/stock/small' });
    const answer = answerTo(stream);
    stream.write(Buffer.alloc(2_000)); // and does not end it
    expect(await answer).toMatchObject({ status: 413, code: 0 });
    expect(await ask(session, { ':path': '/health' })).toMatchObject({ status: 200 });
  });

  it('is reset with an error when the service breaks off in the middle', async () => {
    const stock = await upstream((req, res) => {
      res.write('half');
      setTimeout(() => req.socket.resetAndDestroy(), 20);
    });
    const session = await (await gatewayWith(stock)).session();
    expect(await ask(session)).toMatchObject({ status: 200, text: 'half', code: 2 }); // INTERNAL_ERROR
  });

  it.each([
    ['short', 10_000],
    ['long', 1_000_000],
  ])('gets the whole reply when the client reads slowly: %s', async (_, length) => {
    const stock = await upstream((_, res) => res.end(Buffer.alloc(length, 'a')));
    const gateway = await gatewayWith(stock);
    const client = await gateway.frames(Buffer.of(0, 4, 0, 0, 0, 0)); // a window of nothing
    client.send(asking(1));
    const got = () =>
      client.received
        .filter(({ type }) => type === frameTypes.data)
        .reduce((sum, { payload }) => sum + payload.length, 0);
    await until(() =>
      client.received.some(({ type, stream }) => type === frameTypes.headers && stream === 1),
    );
    for (let taken = 0; taken < length; taken = got()) {
      const bite = Buffer.alloc(4);
      bite.writeUInt32BE(Math.min(length - taken, 50_000));
      client.send(
        frame(frameTypes.windowUpdate, flags.none, 1, bite),
        frame(frameTypes.windowUpdate, flags.none, 0, bite),
      );
      await until(() => got() > taken || client.closed() || resetsOf(client).length > 0);
      if (client.closed() || resetsOf(client).length > 0) break;
    }
    await until(() => got() === length);
    expect(resetsOf(client).filter(([, code]) => code !== 0)).toEqual([]);
  });

  it('is cancelled at the service when the client cancels it', async () => {
    const { stock, running } = await holding();
    const gateway = await gatewayWith(stock);
    const session = await gateway.session();
    const stream = session.request(open);
    stream.on('error', () => {});
    await until(() => running() === 1);
    stream.close(8);
    await until(() => running() === 0);
    await until(
      async () => (await gateway.measured('gateway_client_aborts_total', { phase: 'headers' })) === 1,
    );
  });

  it.each([
    ['of a stated length', [['content-length', '100']], 8],
    ['of a stated length, streamed', [['content-length', '100000']], 8],
    ['of no stated length', [], 8],
    // To Node a stream that is reset without an error ends like one that is complete.
    ['of a stated length without an error', [['content-length', '100']], 0],
    ['of a stated length, streamed, without an error', [['content-length', '100000']], 0],
    ['of no stated length without an error', [], 0],
  ] as [string, [string, string][], number][])(
    'taken back in the middle of its body %s is never taken for whole',
    async (_, more, code) => {
      let whole = 0;
      const stock = await upstream((req, res) => {
        req
          .on('error', () => {})
          .resume()
          .on('end', () => {
            whole += 1;
            res.end();
          });
      });
      const client = await (await gatewayWith(stock)).frames();
      const post = headerBlock([[':method', 'POST'], ...get.slice(1), ...more]);
      for (let stream = 1; stream < 80; stream += 2) {
        client.send(
          frame(frameTypes.headers, flags.endHeaders, stream, post),
          frame(frameTypes.data, flags.none, stream, Buffer.alloc(50)),
        );
        if (stream % 4 === 1) await sleep(stream % 8); // at once, and when the body is being read
        client.send(frame(frameTypes.reset, flags.none, stream, Buffer.of(0, 0, 0, code)));
      }
      client.send(asking(1_001));
      await until(() =>
        client.received.some(({ type, stream }) => type === frameTypes.headers && stream === 1_001),
      );
      expect(whole).toBe(1);
    },
  );
});

describe('a gateway that is draining', () => {
  it('tells HTTP/2 clients to reconnect elsewhere, and finishes their requests', async () => {
    let finish = () => {};
    const stock = await upstream((_, res) => {
      finish = () => res.end('whole');
    });
    const gateway = await gatewayWith(stock);
    const session = await gateway.session();
    const told = new Promise((resolve) => session.once('goaway', resolve));
    const answer = ask(session);
    await until(() => stock.requests.length === 1);
    gateway.drain();
    expect(await told).toBe(0);
    gateway.server.close();
    gateway.server.closeIdleConnections();
    finish();
    expect(await answer).toMatchObject({ status: 200, text: 'whole' });
    await until(async () => (await gateway.connections()) === 0);
  });
});
