import { until } from '../../test/gateway-under-test.ts';
import { asking, flags, frame, frameTypes, get, headerBlock } from '../../test/http2-frames.ts';
import { answering, closeHttp2, gatewayWith, isRefused } from '../../test/http2-under-test.ts';

afterEach(closeHttp2);

describe('an ambiguous HTTP/2 request', () => {
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
  ])('is refused for %s, and reaches no service', async (_, headers) => {
    const stock = await answering();
    const gateway = await gatewayWith(stock);
    const client = await gateway.frames();
    client.send(asking(1, headers));
    const answered = () =>
      client.received.some(({ type, stream }) => type === frameTypes.headers && stream === 1);
    await until(() => isRefused(client) || answered());
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
  ])('is forwarded without a header with %s', async (_, name, value) => {
    const stock = await answering();
    const client = await (await gatewayWith(stock)).frames();
    client.send(asking(1, more([name, value])));
    await until(() => stock.requests.length === 1 || isRefused(client));
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
    await until(() => isRefused(client, 40), { seen: () => client.received });
    expect(stock.requests).toEqual([]);
  });

  it('cannot become a socket: extended CONNECT is not offered (RFC 8441)', async () => {
    const stock = await answering();
    const gateway = await gatewayWith(stock, {
      sockets: [{ service: 'stock', path: '/api/v1/stock/live', bearer: true }],
    });
    const session = await gateway.session();
    await until(() => session.remoteSettings.maxConcurrentStreams !== undefined);
    expect(session.remoteSettings.enableConnectProtocol).toBe(false);
    const client = await gateway.frames();
    client.send(asking(1, [[':method', 'CONNECT'], ...get.slice(1), [':protocol', 'websocket']]));
    await until(() => isRefused(client));
    expect(stock.requests).toEqual([]);
  });
});
