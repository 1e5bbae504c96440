import type { RequestListener } from 'node:http';
import { closeAll, gatewayTo, raw, stock, upstream } from '../../test/gateway-under-test.ts';

afterEach(closeAll);

/** Whatever a page or an answer is, a browser must not be talked into more than it should do. */
const demanded: Readonly<Record<string, RegExp>> = {
  'content-security-policy': /default-src 'none'.*frame-ancestors 'none'/,
  'cross-origin-opener-policy': /^same-origin$/,
  'cross-origin-resource-policy': /^same-origin$/,
  'permissions-policy': /camera=\(\)/,
  'referrer-policy': /^no-referrer$/,
  'x-content-type-options': /^nosniff$/,
  'x-frame-options': /^DENY$/,
  'x-request-id': /./,
};

/** A list, so that a failure says where and what. */
function unprotected(where: string, headers: Headers): string[] {
  const missing = Object.entries(demanded).filter(([name, value]) => !value.test(headers.get(name) ?? ''));
  return missing.map(([name]) => `${where} ${name}: ${headers.get(name)}`);
}

function expectProtected(where: string, headers: Headers): void {
  expect(unprotected(where, headers)).toEqual([]);
}

/** Answers with the status that the query asks for. */
const anyStatus: RequestListener = (req, res) => {
  const status = Number(new URL(req.url ?? '', 'http://x').searchParams.get('status') ?? 200);
  res
    .writeHead(status, { 'content-type': 'application/json' })
    .end(status === 204 || status === 304 ? undefined : '{}');
};

describe('every reply', () => {
  const pages = [
    '/',
    '/health',
    '/ready',
    '/metrics',
    '/openapi.json',
    '/docs',
    '/docs/start.js',
    '/nothing',
    '/api',
    '/internal/x',
  ];
  const assets = ['/docs/assets/swagger-ui.css', '/docs/assets/swagger-ui-bundle.js', '/docs/assets/none.js'];
  const statuses = [200, 201, 202, 204, 206, 301, 304, 400, 401, 403, 404, 409, 412, 422, 429, 500, 501, 504];

  it('has security headers, whatever its status and origin', async () => {
    const service = await upstream(anyStatus);
    const gateway = await gatewayTo([service.instance]);
    for (const path of [...pages, ...assets]) {
      const { headers, status } = await fetch(gateway.url + path, { redirect: 'manual' });
      expectProtected(`${status} of ${path}`, headers);
    }
    for (const status of statuses) {
      const path = `/api/v1/stock/open?status=${status}`;
      const answer = await fetch(gateway.url + path, { redirect: 'manual' });
      expect(answer.status).toBe(status);
      expectProtected(path, answer.headers);
    }
  });

  it('has security headers when the gateway itself refuses', async () => {
    const service = await upstream((_, res) => res.destroy());
    const gateway = await gatewayTo([service.instance], { env: { RATE_LIMIT_LOGIN: '1/min' } });
    const refusals: [number, string, RequestInit][] = [
      [400, '/api/v1/stock//open', {}],
      [401, '/api/v1/stock/things/1', {}],
      [404, '/api/v1/absent/things', {}],
      [
        403,
        '/api/v1/stock/open',
        {
          method: 'OPTIONS',
          headers: { origin: 'https://x.example', 'access-control-request-method': 'GET' },
        },
      ],
      [413, '/api/v1/stock/small', { method: 'POST', body: 'x'.repeat(2_000) }],
      [502, '/api/v1/stock/open', { method: 'POST' }],
    ];
    for (const [status, path, init] of refusals) {
      const answer = await fetch(gateway.url + path, init);
      expect(`${answer.status} ${path}`).toBe(`${status} ${path}`);
      expectProtected(path, answer.headers);
    }
  });

  it.each([
    ['no HTTP', 'nonsense\r\n\r\n'],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['too long headers', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
    [
      'an upgrade nobody takes',
      'GET /api/v1/stock/s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
  ])('has security headers after a malformed request: %s', async (_, text) => {
    const gateway = await gatewayTo([]);
    const answer = await raw(gateway.port, text);
    const [, ...lines] = answer.text.split('\r\n\r\n', 1)[0]!.split('\r\n');
    expectProtected(
      text.slice(0, 20),
      new Headers(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string])),
    );
  });

  it('forbids inline scripts', async () => {
    const gateway = await gatewayTo([]);
    for (const path of ['/', '/docs']) {
      const answer = await fetch(gateway.url + path, { headers: { accept: 'text/html' } });
      const policy = answer.headers.get('content-security-policy')!;
      expect(policy).not.toMatch(/script-src[^;]*(unsafe|\*|data:|https?:)/);
      expect(await answer.text()).not.toMatch(/<script>|<script [^>]*>[^<]|\son\w+=|javascript:/i);
    }
  });
});

describe('HSTS', () => {
  const ask = async (headers: Record<string, string>, trusted?: string) => {
    const service = await upstream((_, res) => res.setHeader('strict-transport-security', 'max-age=9').end());
    const env = trusted === undefined ? {} : { TRUSTED_PROXIES: trusted };
    const gateway = await gatewayTo([service.instance], { contracts: { stock }, env });
    const answers = ['/api/v1/stock/open', '/api/v1/stock/things/1', '/', '/nothing', '/api/v1/stock//x'].map(
      (path) => fetch(gateway.url + path, { headers }),
    );
    return (await Promise.all(answers)).map((answer) => answer.headers.get('strict-transport-security'));
  };
  const https = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' };

  it('is sent to clients that came over TLS', async () => {
    expect(new Set(await ask(https, '127.0.0.1'))).toEqual(new Set(['max-age=31536000']));
  });

  it.each([
    ['came over plain HTTP', { 'x-forwarded-proto': 'http' }, '127.0.0.1'],
    ['only says that it came over TLS', https, undefined],
  ])('is not sent to a client that %s', async (_, headers, trusted) => {
    expect(new Set(await ask(headers, trusted))).toEqual(new Set([null]));
  });
});
