import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '@marimo/observability';
import { testCertificate } from '../../test/certificates.ts';
import {
  closeAll,
  gatewayTo,
  type Options,
  type Upstream,
  until,
  upstream,
} from '../../test/gateway-under-test.ts';
import {
  asking,
  codeOf,
  type FrameClient,
  flags,
  frame,
  frameClient,
  frameTypes,
  get,
  headerBlock,
} from '../../test/http2-frames.ts';
import { readCertificate } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'marimo-http2-'));
const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
const pair = testCertificate();
writeFileSync(files.certFile, pair.cert);
writeFileSync(files.keyFile, pair.key);
const log = createLog({ service: 'gateway', write: () => {} });

const sessions: ClientHttp2Session[] = [];
const frameClients: FrameClient[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  for (const client of frameClients.splice(0)) client.end();
  await closeAll();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function gatewayWith(stock: Upstream, options: Options = {}) {
  const certificate = readCertificate({ ...files, production: false, log });
  const gateway = await gatewayTo([stock.instance], { certificate, ...options });
  return {
    ...gateway,
    async session(): Promise<ClientHttp2Session> {
      const session = connect(gateway.url, { rejectUnauthorized: false });
      session.on('error', () => {});
      sessions.push(session);
      await new Promise((resolve) => session.once('connect', resolve));
      return session;
    },
    async frames(settings?: Buffer): Promise<FrameClient> {
      const client = await frameClient(gateway.port, settings);
      frameClients.push(client);
      return client;
    },
  };
}

const answering = () => upstream((req, res) => req.resume().on('end', () => res.end('answer')));

interface Answered {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  readonly code: number;
}

function answerTo(stream: ClientHttp2Stream): Promise<Answered> {
  return new Promise((resolve) => {
    let headers: Record<string, unknown> = {};
    let text = '';
    stream.on('error', () => {});
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('data', (part) => {
      text += part;
    });
    stream.on('close', () =>
      resolve({ status: Number(headers[':status']), headers, text, code: stream.rstCode }),
    );
  });
}

/** A service that answers nothing, and knows what it still believes in. */
async function holding() {
  let running = 0;
  const stock = await upstream((_, res) => {
    running += 1;
    res.on('close', () => {
      running -= 1;
    });
  });
  return { stock, running: () => running };
}

const open = { ':path': '/api/v1/stock/open' };
const ask = (session: ClientHttp2Session, headers: OutgoingHttpHeaders = open) =>
  answerTo(session.request(headers));
const resetsOf = ({ received }: FrameClient) =>
  received.filter(({ type }) => type === frameTypes.reset).map((one) => [one.stream, codeOf(one)]);
const goawayOf = ({ received }: FrameClient) => {
  const last = received.filter(({ type }) => type === frameTypes.goaway).at(-1);
  return last && codeOf(last);
};

describe('a request over HTTP/2', () => {
  it('takes the same way: headers, policies and answer are those of HTTP/1.1', async () => {
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

  it('without a token is refused like any other', async () => {
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

  it('whose body is more than its route takes is refused while it is sent, and ends no other', async () => {
    const stock = await upstream((req) => req.on('error', () => {}).resume());
    const gateway = await gatewayWith(stock);
    const session = await gateway.session();
    const stream = session.request({ ':method': 'POST', ':path': '/api/v1/stock/small' });
    const answer = answerTo(stream);
    stream.write(Buffer.alloc(2_000)); // and does not end it
    expect(await answer).toMatchObject({ status: 413, code: 0 });
    expect(await ask(session, { ':path': '/health' })).toMatchObject({ status: 200 });
  });

  it('whose service breaks off in the middle is reset with an error, and never ends cleanly', async () => {
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
  ])('has its whole answer although it takes it in small bites: %s', async (_, length) => {
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

  it('that its client takes back ends at the service too', async () => {
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
    ['of a stated length', [['content-length', '100']]],
    ['of a stated length, streamed', [['content-length', '100000']]],
    ['of no stated length', []],
  ] as [string, [string, string][]][])(
    'taken back in the middle of its body %s is never taken for whole',
    async (_, more) => {
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
        if (stream % 4 === 1) await new Promise((resolve) => setImmediate(resolve));
        client.send(frame(frameTypes.reset, flags.none, stream, Buffer.of(0, 0, 0, 8)));
      }
      client.send(asking(1_001));
      await until(() =>
        client.received.some(({ type, stream }) => type === frameTypes.headers && stream === 1_001),
      );
      expect(whole).toBe(1);
    },
  );
});

describe('an HTTP/2 request that could be read in two ways', () => {
  const but = (...changed: [string, string][]) => [
    ...get.filter(([name]) => !changed.some(([other]) => other === name)),
    ...changed,
  ];
  const more = (...added: [string, string][]) => [...get, ...added];
  it.each([
    ['a name in upper case', more(['X-User', '1'])],
    ['a connection header', more(['connection', 'x-secret'])],
    ['transfer-encoding (H2.TE)', more(['transfer-encoding', 'chunked'])],
    ['an upgrade', more(['upgrade', 'h2c'])],
    ['keep-alive', more(['keep-alive', '1'])],
    ['te other than trailers', more(['te', 'gzip'])],
    [
      'line ends in the path (request splitting)',
      but([':path', '/ HTTP/1.1\r\nHost: evil\r\n\r\nGET /internal']),
    ],
    ['a blank in the path', but([':path', '/api/v1/stock/open HTTP/1.1'])],
    ['line ends in the method', but([':method', 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET'])],
    ['line ends in the authority', but([':authority', 'a\r\nx: y'])],
    ['a path that is none', but([':path', 'http://evil.example/'])],
    ['no path', get.filter(([name]) => name !== ':path')],
    ['no method', get.filter(([name]) => name !== ':method')],
    ['two paths', more([':path', '/internal'])],
    ['a pseudo-header nobody knows', more([':user', '1'])],
    ['a pseudo-header after the others', [['x-a', '1'], ...get] as [string, string][]],
    ['two lengths', more(['content-length', '0'], ['content-length', '5'])],
    ['a length that is no number', more(['content-length', '+5'])],
    ['a length and no body (H2.CL)', more(['content-length', '5'])],
    ['another host than its authority', more(['host', 'evil.example'])],
    ['two authorizations', more(['authorization', 'Bearer a'], ['authorization', 'Bearer b'])],
  ])('is refused for %s, and reaches nobody', async (_, headers) => {
    const stock = await answering();
    const gateway = await gatewayWith(stock);
    const client = await gateway.frames();
    client.send(asking(1, headers));
    const answered = () =>
      client.received.some(({ type, stream }) => type === frameTypes.headers && stream === 1);
    await until(() => resetsOf(client).length > 0 || goawayOf(client) !== undefined || answered());
    expect(stock.requests).toEqual([]);
    if (answered()) expect(await gateway.measured('http_requests_total', { status: '200' })).toBe(0);
  });

  it.each([
    ['line ends in a value', 'x-a', 'b\r\ntransfer-encoding: chunked'],
    ['a line feed in a value', 'x-a', 'b\nhost: evil'],
    ['a NUL in a value', 'x-a', 'b\0c'],
    ['line ends in a name', 'x-a\r\nhost', 'b'],
    ['a colon in a name', 'x-a: b', 'c'],
    ['a blank in a name', 'x a', 'c'],
  ])('loses a header with %s on its way', async (_, name, value) => {
    const stock = await answering();
    const client = await (await gatewayWith(stock)).frames();
    client.send(asking(1, more([name, value])));
    await until(() => stock.requests.length === 1 || resetsOf(client).length > 0);
    const { headers } = stock.requests[0] ?? { headers: {} };
    expect(
      Object.keys(headers).filter((one) => one.startsWith('x-a') || one === 'transfer-encoding'),
    ).toEqual([]);
    expect(JSON.stringify(headers)).not.toMatch(/evil/);
  });

  it.each([
    ['fewer bytes than its length', '10', 'hello'],
    [
      'more bytes than its length: the rest would be a request of its own',
      '2',
      'okGET /api/v1/stock/things/hidden',
    ],
  ])('is refused for %s', async (_, length, body) => {
    const stock = await answering();
    const client = await (await gatewayWith(stock)).frames();
    const headers: [string, string][] = [
      [':method', 'POST'],
      ...(get.slice(1) as [string, string][]),
      ['content-length', length],
    ];
    // Forty times, because it depended on when the body was read.
    for (let stream = 1; stream < 80; stream += 2) {
      client.send(
        frame(frameTypes.headers, flags.endHeaders, stream, headerBlock(headers)),
        frame(frameTypes.data, flags.endStream, stream, Buffer.from(body)),
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => resetsOf(client).length === 40 || goawayOf(client) !== undefined);
    expect(stock.requests).toEqual([]);
  });

  it('cannot be a socket: extended CONNECT is not offered (RFC 8441)', async () => {
    const stock = await answering();
    const gateway = await gatewayWith(stock, {
      sockets: [{ service: 'stock', path: '/api/v1/stock/live', bearer: true }],
    });
    const session = await gateway.session();
    await until(() => session.remoteSettings.maxConcurrentStreams !== undefined);
    expect(session.remoteSettings.enableConnectProtocol).toBe(false);
    const client = await gateway.frames();
    client.send(asking(1, [[':method', 'CONNECT'], ...get.slice(1), [':protocol', 'websocket']]));
    await until(() => resetsOf(client).length > 0 || goawayOf(client) !== undefined);
    expect(stock.requests).toEqual([]);
  });
});

describe('an HTTP/2 client that wants to wear the gateway out', () => {
  const held = () => upstream(() => {});

  it('has no more streams open than it may', async () => {
    const stock = await held();
    const gateway = await gatewayWith(stock, { frontLimits: { streams: 10 } });
    const client = await gateway.frames();
    await until(() => client.received.length > 0);
    client.send(...Array.from({ length: 30 }, (_, place) => asking(1 + place * 2)));
    await until(() => resetsOf(client).length === 20 || goawayOf(client) !== undefined);
    expect(stock.requests.length).toBeLessThanOrEqual(10);
  });

  it('is cut off when it opens and cancels without end (rapid reset, CVE-2023-44487)', async () => {
    const { stock, running } = await holding();
    const gateway = await gatewayWith(stock, { frontLimits: { resets: { burst: 20, perSecond: 1 } } });
    const client = await gateway.frames();
    for (let place = 0; place < 60; place++) {
      const stream = 1 + place * 2;
      client.send(asking(stream), frame(frameTypes.reset, flags.none, stream, Buffer.of(0, 0, 0, 8)));
    }
    await until(() => client.closed());
    expect(goawayOf(client)).toBeGreaterThan(0);
    await until(() => running() === 0);
  });

  it('is cut off when its headers never end (CONTINUATION flood, CVE-2024-27983)', async () => {
    const stock = await held();
    const client = await (await gatewayWith(stock)).frames();
    const part = headerBlock([['x-a', 'a'.repeat(1_000)]]);
    client.send(frame(frameTypes.headers, flags.none, 1, headerBlock(get)));
    for (let count = 0; count < 200; count++)
      client.send(frame(frameTypes.continuation, flags.none, 1, part));
    await until(() => client.closed());
    expect(stock.requests).toEqual([]);
  });

  it.each([
    ['too many headers', Array.from({ length: 300 }, (_, place) => [`x-${place}`, 'a'] as [string, string])],
    [
      'too long headers',
      Array.from({ length: 4 }, (_, place) => [`x-${place}`, 'a'.repeat(5_000)] as [string, string]),
    ],
  ])('is refused for %s', async (_, headers) => {
    const stock = await held();
    const client = await (await gatewayWith(stock)).frames();
    const block = headerBlock([...get, ...headers]);
    client.send(frame(frameTypes.headers, flags.endStream, 1, block.subarray(0, 16_000)));
    client.send(frame(frameTypes.continuation, flags.endHeaders, 1, block.subarray(16_000)));
    await until(() => resetsOf(client).length > 0 || client.closed());
    expect(stock.requests).toEqual([]);
  });

  it('is refused for one header blown up a thousand times by its index (HPACK bomb, CVE-2016-6581)', async () => {
    const stock = await held();
    const client = await (await gatewayWith(stock)).frames();
    const [name, value] = [Buffer.from('x-bomb'), Buffer.alloc(3_900, 'a')];
    const indexed = Buffer.concat([
      Buffer.of(0x40, name.length),
      name,
      headerBlock([['', value.toString()]]).subarray(2), // its value as HPACK writes it
    ]);
    const again = Buffer.alloc(1_000, 0x80 | 62); // the first entry of the table that grows
    const block = Buffer.concat([headerBlock(get), indexed, again]);
    client.send(frame(frameTypes.headers, flags.endHeaders | flags.endStream, 1, block));
    await until(() => resetsOf(client).length > 0 || client.closed());
    expect(stock.requests).toEqual([]);
  });

  it.each([
    ['PING (CVE-2019-9512)', () => frame(frameTypes.ping, flags.none, 0, Buffer.alloc(8))],
    ['SETTINGS (CVE-2019-9515)', () => frame(frameTypes.settings, flags.none, 0)],
  ])('is cut off for a flood of %s', async (_, make) => {
    const limits = { controlFrames: { burst: 20, perSecond: 1 } };
    const client = await (await gatewayWith(await held(), { frontLimits: limits })).frames();
    for (let count = 0; count < 100; count++) client.send(make());
    await until(() => client.closed());
    expect([11, undefined]).toContain(goawayOf(client)); // ENHANCE_YOUR_CALM, unless the cut overtook it
  });

  it.each([
    ['says nothing', () => Buffer.alloc(0)],
    ['never ends its headers', () => frame(frameTypes.headers, flags.none, 1, headerBlock(get))],
  ])('is cut off when it %s', async (_, make) => {
    const client = await (await gatewayWith(await held(), { frontLimits: { headMs: 100 } })).frames();
    client.send(make());
    await until(() => client.closed());
  });

  it('is cut off when nothing is asked for too long', async () => {
    const gateway = await gatewayWith(await answering(), { frontLimits: { idleMs: 100 } });
    const session = await gateway.session();
    expect(await ask(session)).toMatchObject({ status: 200 });
    await until(() => session.destroyed);
  });

  it('is cut off when it asks and takes nothing (CVE-2019-9517), also for a short answer', async () => {
    const stock = await upstream((_, res) => res.end('answer'));
    const gateway = await gatewayWith(stock, { frontLimits: { stallMs: 100 } });
    const noWindow = Buffer.of(0, 4, 0, 0, 0, 0); // SETTINGS_INITIAL_WINDOW_SIZE = 0
    const client = await gateway.frames(noWindow);
    client.send(asking(1), asking(3));
    await until(() => resetsOf(client).length === 2);
    expect(resetsOf(client).map(([, code]) => code)).toEqual([2, 2]);
    expect(await gateway.measured('gateway_client_aborts_total', { phase: 'body' })).toBe(2);
  });
});

describe('a gateway that drains', () => {
  it('tells HTTP/2 clients to go elsewhere, and finishes what they have asked', async () => {
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
