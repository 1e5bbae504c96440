import { closeAll, gatewayTo, upstream } from '../../test/gateway-under-test.ts';
import { allowedOrigins } from './origins.ts';

afterEach(closeAll);

const listed = 'https://erp.example';
const env = { ALLOWED_ORIGINS: `${listed}, http://localhost:3000, https://xn--bcher-kva.example` };
const strangers = [
  'null',
  '',
  '*',
  'https://erp.example.evil.example',
  'https://evil-erp.example',
  'https://evilerp.example',
  'https://erp.exampleevil',
  'https://sub.erp.example',
  'https://erp.example.',
  'https://.erp.example',
  'http://erp.example',
  'wss://erp.example',
  'https://erp.example:443',
  'https://erp.example:8443',
  'https://erp.example:4430',
  'https://erp.example/',
  'https://erp.example/path',
  'https://erp.example?x',
  'https://erp.example#x',
  'https://ERP.example',
  'HTTPS://erp.example',
  'https://erp.example@evil.example',
  'https://evil.example@erp.example',
  'https://user@erp.example',
  'https://erp.example%00.evil.example',
  'https://erp.example,https://evil.example',
  `https://erp.example ${listed}`,
  'https://еrp.example', // a Cyrillic letter
  'https://bücher.example', // browsers write xn--bcher-kva
  'https://erp。example',
  'http://localhost',
  'http://localhost:30000',
  'http://localhost:3001',
  'http://127.0.0.1:3000',
  'http://[::1]:3000',
  'file://',
  'chrome-extension://abcdefgh',
  'erp.example',
  '//erp.example',
];

describe('a page of another origin', () => {
  const origins = allowedOrigins([listed, 'http://localhost:3000', 'https://xn--bcher-kva.example']);

  it.each(strangers)('is a stranger when it comes from %j', (origin) => {
    expect(origins.allows(origin, 'gateway.example')).toBe(false);
    const headers = { origin } as never;
    expect(origins.headersFor({ headers } as never, 'gateway.example')).toEqual(['vary', 'origin']);
    expect(() => origins.preflight({ headers } as never, 'gateway.example', ['GET'])).toThrow();
  });

  it.each([listed, 'http://localhost:3000', 'https://xn--bcher-kva.example'])(
    'may read answers: %s',
    async (origin) => {
      const stock = await upstream((_, res) => res.end('text'));
      const gateway = await gatewayTo([stock.instance], { env });
      const { headers } = await fetch(`${gateway.url}/api/v1/stock/open`, { headers: { origin } });
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('access-control-allow-credentials')).toBe('true');
      expect(headers.get('vary')).toBe('origin');
      const exposed = headers.get('access-control-expose-headers');
      for (const name of [
        'ratelimit-remaining',
        'x-request-id',
        'etag',
        'retry-after',
        'deprecation',
        'sunset',
      ])
        expect(exposed).toContain(name);
    },
  );

  it('can read a refusal too', async () => {
    const gateway = await gatewayTo([], { env });
    const answer = await fetch(`${gateway.url}/api/v1/stock/things/1`, { headers: { origin: listed } });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([401, listed]);
  });

  it('can read nothing if no origin is allowed, whatever the service says', async () => {
    const stock = await upstream((_, res) => res.setHeader('access-control-allow-origin', '*').end());
    const gateway = await gatewayTo([stock.instance]);
    const { headers } = await fetch(`${gateway.url}/api/v1/stock/open`, { headers: { origin: listed } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('a CORS preflight request', () => {
  const preflight = (url: string, origin: string, path = '/api/v1/stock/open') =>
    fetch(url + path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });

  it('is answered by the gateway for the path, without a token', async () => {
    const stock = await upstream((_, res) => res.end());
    const { url } = await gatewayTo([stock.instance], { env });
    const { status, headers } = await preflight(url, listed);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(listed);
    expect(headers.get('access-control-allow-methods')).toBe('GET, HEAD, POST');
    expect(headers.get('access-control-allow-headers')).toMatch(
      /authorization.*content-type.*idempotency-key/,
    );
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(stock.requests).toEqual([]);
  });

  it('is refused for an unknown origin', async () => {
    const { url } = await gatewayTo([], { env });
    const answer = await preflight(url, 'https://evil.example');
    expect(answer.status).toBe(403);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(await answer.json()).toMatchObject({ code: 'gateway.origin-refused' });
  });

  it('counts against the limits', async () => {
    const { url } = await gatewayTo([], { env: { ...env, RATE_LIMIT_CALLER: '1/min,burst=1' } });
    expect((await preflight(url, listed)).status).toBe(204);
    expect((await preflight(url, listed)).status).toBe(429);
  });
});
