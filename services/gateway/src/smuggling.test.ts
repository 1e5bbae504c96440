import { connect } from 'node:net';
import { closeAll, gatewayTo, raw, type Upstream, upstream } from '../test/gateway-under-test.ts';

let stock: Upstream;
let port: number;
beforeEach(async () => {
  stock = await upstream((req, res) => req.resume().on('end', () => res.end('answer')));
  ({ port } = await gatewayTo([stock.instance]));
});
afterEach(closeAll);

const hidden = 'GET /api/v1/stock/things/hidden HTTP/1.1\r\nHost: a\r\n\r\n';
const post = (headers: string, body = '', version = '1.1') =>
  `POST /api/v1/stock/open HTTP/${version}\r\nHost: a\r\n${headers}\r\n\r\n${body}`;
const get = (headers: string) => `GET /api/v1/stock/open HTTP/1.1\r\n${headers}\r\n\r\n`;

describe('a request with an ambiguous end', () => {
  it.each([
    ['a length and chunks (CL.TE)', post('Content-Length: 6\r\nTransfer-Encoding: chunked', '0\r\n\r\nG')],
    ['chunks and a length (TE.CL)', post('Transfer-Encoding: chunked\r\nContent-Length: 4', '5c\r\n')],
    ['two lengths', post('Content-Length: 0\r\nContent-Length: 44', hidden)],
    ['the same length twice', post('Content-Length: 2\r\nContent-Length: 2', '{}')],
    ['a list of lengths', post('Content-Length: 2, 2', '{}')],
    ['a signed length', post('Content-Length: +2', '{}')],
    ['a hexadecimal length', post('Content-Length: 0x2', '{}')],
    ['an empty length', post('Content-Length: ', '{}')],
    ['a length beyond all numbers', post('Content-Length: 99999999999999999999', '{}')],
    ['a coding nobody knows (TE.TE)', post('Transfer-Encoding: xchunked', '0\r\n\r\n')],
    ['a coding before the chunks', post('Transfer-Encoding: gzip, chunked', '0\r\n\r\n')],
    ['a coding after the chunks', post('Transfer-Encoding: chunked, identity', '0\r\n\r\n')],
    ['chunked twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n')],
    ['a coding behind a vertical tab', post('Transfer-Encoding: \x0bchunked', '0\r\n\r\n')],
    ['a blank before the colon', post('Transfer-Encoding : chunked', '0\r\n\r\n')],
    ['chunks from HTTP/1.0', post('Transfer-Encoding: chunked', '0\r\n\r\n', '1.0')],
    ['a folded header', get('Host: a\r\nX-A: a\r\n b')],
    ['a folded coding', post('Transfer-Encoding:\r\n chunked', '0\r\n\r\n')],
    ['a bare line feed after a header', get('Host: a\nX-A: b')],
    ['a bare line feed after the request line', 'GET /api/v1/stock/open HTTP/1.1\nHost: a\n\n'],
    ['a bare carriage return', get('Host: a\rX-A: b')],
    ['a NUL in a header', get('Host: a\r\nX-A: a\0b')],
    ['a header without a name', get('Host: a\r\n: b')],
    ['no host', get('X-A: b')],
    ['two hosts', get('Host: a\r\nHost: b')],
    ['two authorizations', get('Host: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b')],
    ['two keys', get('Host: a\r\nIdempotency-Key: a\r\nIdempotency-Key: b')],
    ['no version', 'GET /api/v1/stock/open\r\n\r\n'],
    ['an unknown version', 'GET /api/v1/stock/open HTTP/1.2\r\nHost: a\r\n\r\n'],
    ['no host beside the one in its target', 'GET http://a/api/v1/stock/open HTTP/1.1\r\n\r\n'],
    [
      'two hosts beside the one in its target',
      'GET http://a/api/v1/stock/open HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    ],
    ['no path in its target', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a blank in its host', get('Host: a b')],
    ['a comma in its host', get('Host: a,b')],
    ['a path in its host', get('Host: a/b')],
    ['a user in its host', get('Host: anna@a')],
    ['a port that is no number', get('Host: a:b')],
    ['an address without its bracket', get('Host: [::1')],
    ['a host that is not ASCII', get('Host: b\xfccher.example')],
    ['a coding with a parameter (TE.TE)', post('Transfer-Encoding: chunked;q=1', '0\r\n\r\n')],
    ['a coding in quotes (TE.TE)', post('Transfer-Encoding: "chunked"', '0\r\n\r\n')],
    ['a coding before a NUL (TE.TE)', post('Transfer-Encoding: chunked\0', '0\r\n\r\n')],
    [
      'two codings, one of them wrong (TE.TE)',
      post('Transfer-Encoding: chunked\r\nTransfer-encoding: x', '0\r\n\r\n'),
    ],
    ['a length behind a line feed', post('X-A: b\nContent-Length: 44', hidden)],
    ['a length with two numbers', post('Content-Length: 2 44', hidden)],
    ['a length below zero', post('Content-Length: -1', hidden)],
    ['a length in fractions', post('Content-Length: 2.0', '{}')],
    ['a blank before its first header', 'GET /api/v1/stock/open HTTP/1.1\r\n Host: a\r\nX-A: b\r\n\r\n'],
    ['a NUL in a name', get('Host: a\r\nX\0A: b')],
    ['a blank in its target', 'GET /api/v1/stock/open HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('is refused for %s, and reaches no service', async (_, request) => {
    const { status, text } = await raw(port, request);
    expect(status).toBe(400);
    expect(text).toMatch(/application\/problem\+json/);
    expect(text).not.toMatch(/answer/);
    expect(stock.requests).toEqual([]);
  });

  it.each([
    ['a line feed in their sizes', '2\nab\r\n0\r\n\r\n'],
    ['a line feed behind their data', '2\r\nab\n0\r\n\r\n'],
    ['sizes that are no numbers', '0x2\r\nab\r\n0\r\n\r\n'],
    ['a line feed in an extension', '2;\nxx\r\nab\r\n0\r\n\r\n'],
    ['a size beyond all numbers', 'fffffffffffffffff\r\nab\r\n0\r\n\r\n'],
    ['a negative size', '-2\r\nab\r\n0\r\n\r\n'],
    ['extensions without end (CVE-2024-22019)', `2;${'a'.repeat(40_000)}\r\nab\r\n0\r\n\r\n`],
    ['trailers without end', `0\r\n${`X-A: ${'a'.repeat(1_000)}\r\n`.repeat(40)}\r\n`],
  ])('is disconnected for chunks with %s, and is never forwarded as complete', async (_, body) => {
    const { text } = await raw(port, post('Transfer-Encoding: chunked', body + hidden));
    expect(text).not.toMatch(/answer/);
    expect(text.match(/HTTP\/1\.1 \d/g) ?? []).toHaveLength(1);
    expect(stock.requests.map(({ url }) => url)).not.toContain('/api/v1/stock/things/hidden');
  });

  it('is disconnected without a refusal once its reply has begun', async () => {
    stock.server.removeAllListeners('request').on('request', (req, res) => {
      req.on('error', () => {});
      res.writeHead(200).write('part');
    });
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (part: Buffer) => {
      text += part.toString();
      if (text.includes('part')) socket.write('zz\r\n');
    });
    socket.write(post('Transfer-Encoding: chunked', '1\r\na\r\n'));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(text).toMatch(/part/);
    expect(text.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
  });

  it('is framed again: chunk extensions are not forwarded', async () => {
    const { status } = await raw(
      port,
      post('Transfer-Encoding: chunked', '2;a=b\r\nab\r\n0\r\nx-trailer: 1\r\n\r\n'),
    );
    expect(status).toBe(200);
    expect(stock.requests).toHaveLength(1);
    expect(JSON.stringify(stock.requests[0]!.headers)).not.toMatch(/trailer/);
  });
});

describe('a request that is too large', () => {
  it.each([
    ['one long header', get(`Host: a\r\nX-A: ${'a'.repeat(20_000)}`)],
    ['many short headers', get(`Host: a${'\r\nX-A: a'.repeat(150)}`)],
    ['a long target', `GET /api/v1/stock/open?${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ])('is refused for %s', async (_, request) => {
    const { status, text } = await raw(port, request);
    expect(status).toBe(431);
    expect(text).toMatch(/"code":"platform.headers-too-large"/);
    expect(stock.requests).toEqual([]);
  });
});
