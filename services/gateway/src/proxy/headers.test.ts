import { closeAll, gatewayTo, raw, upstream } from '../../test/gateway-under-test.ts';

afterEach(closeAll);

/** What a service receives of a GET with these header lines. */
async function received(lines: string, env: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const stock = await upstream((_, res) => res.end());
  const { port } = await gatewayTo([stock.instance], { env });
  await raw(
    port,
    `GET /api/v1/stock/open HTTP/1.1\r\nHost: erp.example\r\nConnection: close\r\n${lines}\r\n\r\n`,
  );
  return stock.requests[0]?.headers ?? {};
}

describe("a client's headers", () => {
  it('are forwarded, except those of its own connection', async () => {
    const headers = await received(
      [
        'Accept: application/json',
        'If-Match: "1"',
        'Cookie: a=1',
        'Keep-Alive: timeout=5',
        'TE: trailers',
        'Trailer: X-A',
        'Upgrade: h2c',
        'HTTP2-Settings: AAA',
        'Proxy-Authorization: Basic eA==',
        'Proxy-Connection: keep-alive',
      ].join('\r\n'),
    );
    expect(headers).toMatchObject({ accept: 'application/json', 'if-match': '"1"', cookie: 'a=1' });
    const own = [
      'keep-alive',
      'te',
      'trailer',
      'upgrade',
      'http2-settings',
      'proxy-authorization',
      'proxy-connection',
    ];
    for (const name of own) expect(headers).not.toHaveProperty(name);
    expect(headers['connection']).toBe('keep-alive');
  });

  it("named by Connection are removed, without removing the gateway's (CVE-2024-45410)", async () => {
    const stock = await upstream((_, res) => res.end());
    const { port } = await gatewayTo([stock.instance]);
    const named = 'x-forwarded-for, X-Forwarded-Host, x-request-id, x-secret, idempotency-key, close';
    await raw(
      port,
      `GET /api/v1/stock/open HTTP/1.1\r\nHost: a\r\nConnection: ${named}\r\nX-Secret: 1\r\nIdempotency-Key: 1\r\n\r\n`,
    );
    const headers = stock.requests[0]!.headers;
    expect(headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': 'a' });
    expect(headers['x-request-id']).toEqual(expect.any(String));
    expect(headers).not.toHaveProperty('x-secret');
    expect(headers).not.toHaveProperty('idempotency-key');
  });

  it.each([
    'X-Marimo-Tenant',
    'x-marimo-author',
    'x-marimo-deadline',
    'X-User-Id',
    'X-User',
    'X-Tenant-Id',
    'X-TENANT',
    'X-Internal-Call',
    'x_user_id',
    'X_Forwarded_For',
    'X-Original-Url',
    'X-Rewrite-Url',
    'X-HTTP-Method-Override',
    'X-Real-Ip',
    'Forwarded',
    'X-Forwarded-Prefix',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
  ])('cannot claim %s', async (name) => {
    expect(JSON.stringify(await received(`${name}: spoofed`))).not.toMatch(/spoofed/);
  });

  it('are replaced with the address, the host and the request id', async () => {
    expect(await received('X-Request-Id: order-4711-a')).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'erp.example',
      'x-forwarded-proto': 'http',
      'x-request-id': 'order-4711-a',
    });
    expect((await received('X-Request-Id: a b\tc'))['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('are not trusted unless they come from a trusted proxy', async () => {
    const headers = await received('X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https', {});
    expect(headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' });
    const elsewhere = await received('X-Forwarded-For: 9.9.9.9', { TRUSTED_PROXIES: '10.0.0.0/8' });
    expect(elsewhere['x-forwarded-for']).toBe('127.0.0.1');
  });

  it('continue the trace', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const headers = await received(`traceparent: 00-${trace}-b7ad6b7169203331-01\r\ntracestate: a=b`);
    expect(headers['traceparent']).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    expect(headers).not.toHaveProperty('tracestate');
    expect(await received('traceparent: nonsense')).not.toHaveProperty('traceparent');
  });

  it("from a trusted load balancer tell the client's address", async () => {
    const lines = 'X-Forwarded-For: 6.6.6.6, 9.9.9.9, 10.0.0.3\r\nX-Forwarded-Proto: https';
    const env = { TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' };
    expect(await received(lines, env)).toMatchObject({
      'x-forwarded-for': '9.9.9.9',
      'x-forwarded-proto': 'https',
    });
  });
});

describe("a service's headers", () => {
  it('are forwarded, except those of its own connection and about itself', async () => {
    const stock = await upstream((_, res) => {
      res.writeHead(200, {
        connection: 'keep-alive, x-hop',
        'keep-alive': 'timeout=5',
        'x-hop': '1',
        server: 'express',
        'x-powered-by': 'express',
        'x-marimo-attempts': '9',
        'x-request-id': 'another',
        etag: '"1"',
      });
      res.end('x');
    });
    const gateway = await gatewayTo([stock.instance]);
    const { headers } = await fetch(`${gateway.url}/api/v1/stock/open`);
    expect(headers.get('etag')).toBe('"1"');
    expect(headers.get('x-marimo-attempts')).toBe('1');
    expect(headers.get('x-request-id')).not.toBe('another');
    for (const name of ['x-hop', 'server', 'x-powered-by']) expect(headers.get(name)).toBeNull();
    expect(headers.get('keep-alive')).not.toBe('timeout=5');
  });

  it("are completed with security headers, and keep the service's own", async () => {
    const stock = await upstream((_, res) => res.writeHead(200, { 'cache-control': 'max-age=60' }).end());
    const gateway = await gatewayTo([stock.instance]);
    const { headers } = await fetch(`${gateway.url}/api/v1/stock/open`);
    expect(headers.get('cache-control')).toBe('max-age=60');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
  });

  it("have security headers on the gateway's refusals too", async () => {
    const gateway = await gatewayTo([]);
    const { headers, status } = await fetch(`${gateway.url}/api/v1/stock/open`);
    expect(status).toBe(503);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
