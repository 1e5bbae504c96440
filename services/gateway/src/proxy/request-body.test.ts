import { createHash } from 'node:crypto';
import { request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import {
  closeAll,
  type GatewayUnderTest,
  gatewayTo,
  megabyte,
  raw,
  until,
  upstream,
} from '../../test/gateway-under-test.ts';

afterEach(closeAll);

const importPath = '/api/v1/stock/import';

interface Sent {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

/** Sends a body in pieces, no faster than it is taken. */
function upload(
  gateway: GatewayUnderTest,
  pieces: Iterable<Buffer>,
  headers: Record<string, string | number> = {},
) {
  const client = httpRequest(`${gateway.url}${importPath}`, { method: 'POST', headers, agent: false });
  const answer = new Promise<Sent>((resolve, reject) => {
    client.on('error', reject);
    client.on('response', (res) => {
      let text = '';
      res.on('data', (part: Buffer) => {
        text += part.toString();
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, text, headers: res.headers }));
    });
  });
  const rest = pieces[Symbol.iterator]();
  const send = () => {
    for (;;) {
      const { done, value } = rest.next();
      if (done) return void client.end();
      if (!client.write(value)) return void client.once('drain', send);
    }
  };
  send();
  return { client, answer };
}

describe('a request body', () => {
  it.each([
    ['in chunks', undefined],
    ['with its length', 64 * megabyte],
  ])('of 64 MiB %s arrives byte for byte, and is never held in memory', async (_, length) => {
    const seen = createHash('sha256');
    const sent = createHash('sha256');
    let onTheWay = 0;
    let mostOnTheWay = 0;
    const stock = await upstream((req, res) => {
      req.on('data', (part: Buffer) => {
        seen.update(part);
        onTheWay -= part.length;
      });
      req.on('end', () => res.end('taken'));
    });
    const gateway = await gatewayTo([stock.instance]);
    function* pieces() {
      for (let at = 0; at < 64; at++) {
        const piece = Buffer.alloc(megabyte, at);
        sent.update(piece);
        onTheWay += piece.length;
        mostOnTheWay = Math.max(mostOnTheWay, onTheWay);
        yield piece;
      }
    }
    const { answer } = upload(gateway, pieces(), length === undefined ? {} : { 'content-length': length });
    expect(await answer).toMatchObject({ status: 200, text: 'taken' });
    expect(seen.digest('hex')).toBe(sent.digest('hex'));
    expect(mostOnTheWay).toBeLessThan(30 * megabyte); // most of it in the buffers of the two connections
    expect(stock.requests[0]!.headers['content-length']).toBe(length?.toString());
  });

  it('waits for a service that reads slowly', async () => {
    let go = () => {};
    const stock = await upstream((req, res) => {
      go = () => req.resume().on('end', () => res.end('taken'));
    });
    const gateway = await gatewayTo([stock.instance]);
    let taken = 0;
    function* pieces() {
      for (; taken < 64; taken++) yield Buffer.alloc(megabyte);
    }
    const { answer } = upload(gateway, pieces());
    let before = -1;
    await until(async () => {
      if (taken > 0 && taken === before && stock.requests.length === 1) return true;
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return false;
    });
    expect(taken).toBeLessThan(30);
    go();
    expect(await answer).toMatchObject({ status: 200, text: 'taken' });
  });

  it('that is short is read completely first, so that a slow client holds no connection to the service', async () => {
    let text = '';
    const stock = await upstream((req, res) => {
      req.on('data', (part: Buffer) => {
        text += part.toString();
      });
      req.on('end', () => res.end());
    });
    const gateway = await gatewayTo([stock.instance]);
    const client = httpRequest(`${gateway.url}/api/v1/stock/open`, {
      method: 'POST',
      headers: { 'content-length': 4 },
    });
    const status = new Promise((resolve) =>
      client.once('response', (res) => resolve(res.resume().statusCode)),
    );
    client.write('ab');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(stock.requests).toHaveLength(0);
    client.end('cd');
    expect(await status).toBe(200);
    expect(text).toBe('abcd');
  });

  it('can be answered before it ends, and the client sees the refusal', async () => {
    const stock = await upstream((req, res) => {
      req.on('error', () => {}).resume();
      res.writeHead(422, { 'content-type': 'text/plain' }).end('line 1 is wrong');
    });
    const gateway = await gatewayTo([stock.instance]);
    function* pieces() {
      for (let at = 0; at < 20; at++) yield Buffer.alloc(megabyte);
    }
    const { answer } = upload(gateway, pieces());
    expect(await answer).toMatchObject({ status: 422, text: 'line 1 is wrong' });
  });
});

describe('a body that continues after the reply', () => {
  const begun = `POST ${importPath} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`;
  const answersAtOnce: RequestListener = (req, res) => {
    req.on('error', () => {}).resume();
    res.writeHead(422).end('no');
  };

  it('is discarded, and the connection stays usable for the next request', async () => {
    const stock = await upstream(answersAtOnce);
    const gateway = await gatewayTo([stock.instance]);
    const socket = connect(gateway.port, '127.0.0.1');
    let text = '';
    socket.on('data', (part) => {
      text += part;
    });
    socket.write(begun);
    await until(() => text.includes('422'));
    socket.write(`2\r\ncd\r\n0\r\n\r\nGET /api/v1/stock/open HTTP/1.1\r\nHost: a\r\n\r\n`);
    await until(() => text.split('HTTP/1.1 422').length === 3);
    socket.destroy();
  });

  it('and never ends is disconnected', async () => {
    const stock = await upstream(answersAtOnce);
    const gateway = await gatewayTo([stock.instance]);
    const { status, ended } = await raw(gateway.port, begun, { toTheEnd: true });
    expect(status).toBe(422);
    expect(ended).not.toBe('open');
  });
});

describe('the size limit of a body', () => {
  const small = (headers: string, body: string) =>
    `POST /api/v1/stock/small HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`;

  it('refuses a longer one by its declared length, before it is sent', async () => {
    const stock = await upstream((_, res) => res.end());
    const gateway = await gatewayTo([stock.instance]);
    const { status, text } = await raw(gateway.port, small('Content-Length: 1001', ''));
    expect(status).toBe(413);
    expect(text).toMatch(/"limit":1000/);
    expect(stock.requests).toHaveLength(0);
  });

  it('counts one without a declared length, and aborts it', async () => {
    let broken = false;
    const stock = await upstream((req) => {
      req.on('error', () => {
        broken = true;
      });
      req.resume();
    });
    const gateway = await gatewayTo([stock.instance]);
    const chunk = `200\r\n${'x'.repeat(0x200)}\r\n`;
    const { status, text } = await raw(gateway.port, small('Transfer-Encoding: chunked', chunk + chunk));
    expect(status).toBe(413);
    expect(text).toMatch(/connection: close/i);
    await until(() => broken);
  });

  it('accepts one of exactly this length', async () => {
    const stock = await upstream((req, res) => req.resume().on('end', () => res.end()));
    const gateway = await gatewayTo([stock.instance]);
    const exact = await raw(gateway.port, small('Content-Length: 1000', 'x'.repeat(1_000)));
    expect(exact.status).toBe(200);
  });

  it('lets the client read the refusal, then closes the connection', async () => {
    const stock = await upstream((_, res) => res.end());
    const gateway = await gatewayTo([stock.instance]);
    function* pieces() {
      for (let at = 0; at < 90; at++) yield Buffer.alloc(megabyte);
    }
    const { answer } = upload(gateway, pieces(), { 'content-length': 90 * megabyte });
    expect(await answer).toMatchObject({ status: 413, headers: { connection: 'close' } });
  });
});

describe('a client that sends Expect: 100-continue', () => {
  const expecting = (path: string, length: number) =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`;

  it('is asked for the body once it is wanted, and Expect is not forwarded', async () => {
    const stock = await upstream((req, res) => req.resume().on('end', () => res.end('fine')));
    const gateway = await gatewayTo([stock.instance]);
    const { text } = await raw(gateway.port, `${expecting('/api/v1/stock/open', 2)}{}`);
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    expect(stock.requests[0]!.headers['expect']).toBeUndefined();
  });

  it.each([
    ['too large', '/api/v1/stock/small', 413],
    ['without a token', '/api/v1/stock/things/1', 401],
  ])('is refused without being asked for a body that is %s', async (_, path, status) => {
    const gateway = await gatewayTo([]);
    const { text, ended } = await raw(gateway.port, expecting(path, 5_000));
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(ended).toBe('open'); // for a moment, so that the answer is read
  });

  it('is refused for any other expectation', async () => {
    const gateway = await gatewayTo([]);
    const post = 'POST /api/v1/stock/open HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\n\r\n';
    expect((await raw(gateway.port, post)).status).toBe(400);
  });
});
