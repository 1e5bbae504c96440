import { Absent, MalformedRequest } from '@marimo/contracts';
import { closeAll, gatewayTo, raw, upstream } from '../test/gateway-under-test.ts';
import { readTarget } from './target.ts';

afterEach(closeAll);

describe('the target of a request', () => {
  it.each([
    ['/', undefined, '/', ''],
    ['/docs/assets/a.css?v=1', undefined, '/docs/assets/a.css', '?v=1'],
    ['/api/v1/users/me', 'users', '/api/v1/users/me', ''],
    ['/api/v1/users', 'users', '/api/v1/users', ''],
    ['/api/v2/users/me', 'users', '/api/v2/users/me', ''],
    ['/api/v12/users/me?a', 'users', '/api/v12/users/me', '?a'],
    ['/api/v1/users/.well-known/jwks.json', 'users', '/api/v1/users/.well-known/jwks.json', ''],
    [
      '/api/v1/accounting/accounts/50.01%20a?x=../y//z%2f',
      'accounting',
      '/api/v1/accounting/accounts/50.01%20a',
      '?x=../y//z%2f',
    ],
    ['/api/v1/accounting/accounts/%D0%A1', 'accounting', '/api/v1/accounting/accounts/%D0%A1', ''],
    ['/api/v1/accounting/accounts/internal', 'accounting', '/api/v1/accounting/accounts/internal', ''],
  ])('%s is parsed', (url, service, path, query) => {
    expect(readTarget(url)).toEqual({ service, path, query });
  });

  it.each([
    'http://a/api/v1/users/me',
    '*',
    '',
    '//evil/api/v1/users/me',
    '/api/v1//users/me',
    '/api/v1/users/../accounting',
    '/api/v1/users/./me',
    '/api/v1/users/..',
    '/api/v1/users/%2e%2e/accounting',
    '/api/v1/users/.%2E/accounting',
    '/api/v1/users/..;/accounting',
    '/api/v1/users/%252e%252e/accounting',
    '/api/v1/users%2fme',
    '/api/v1/users%5cme',
    '/api/v1/users%255cme',
    '/api/v1/users\\me',
    '/api/v1/users/%00',
    '/api/v1/users/%0d%0a',
    '/api/v1/users/%c0%ae%c0%ae/accounting',
    '/api/v1/users/%zz',
    '/api/v1/users/%',
    '/api/v1/users/me#x',
    '/api/v1/users/me?a#x',
  ])('%s is refused: two servers could parse different paths', (url) => {
    expect(() => readTarget(url)).toThrow(MalformedRequest);
  });

  it.each([
    '/internal/revocations',
    '/internal',
    '/Internal/revocations',
    '/%69nternal/revocations',
    '/api/v1/internal/revocations',
    '/api/v1/users/internal/revocations',
    '/api/v1/users/INTERNAL/revocations',
    '/api/v1/users/%69nternal/revocations',
    '/api/v2/internal/revocations',
    '/api/v2/users/%69nternal/revocations',
    '/api/v0/users/me',
    '/api/v01/users/me',
    '/api/v/users/me',
    '/api/v1000/users/me',
    '/api/v1',
    '/api',
    '/api/v1/Users/me',
    '/api/v1/u%73ers/me',
  ])('%s is not found', (url) => {
    expect(() => readTarget(url)).toThrow(Absent);
  });
});

describe('a target sent to the gateway', () => {
  it.each([
    ['http://stock/internal/revocations', 404],
    ['http:///api/v1/stock/open', 400],
    ['http://anna@stock/api/v1/stock/open', 400],
    ['ftp://stock/api/v1/stock/open', 400],
    ['http://stock//api/v1/stock/open', 400],
    ['/internal/revocations', 404],
    ['/api/v1/stock/%69nternal/revocations', 404],
    ['/api/v1/stock/../../../internal/revocations', 400],
    ['/API/V1/stock/open', 404],
    ['/api/v1/nobody/open', 404],
    ['/api/v2/stock/open', 404],
    ['*', 400],
  ])('%s gets %i, and reaches no service', async (target, status) => {
    const stock = await upstream((_, res) => res.end());
    const { port } = await gatewayTo([stock.instance]);
    const answer = await raw(
      port,
      `GET ${target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good-1\r\n\r\n`,
    );
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(/application\/problem\+json/);
    expect(stock.requests).toEqual([]);
  });

  it.each([
    ['http://erp.example:8080/api/v1/stock/open?a=1', 'erp.example:8080', '/api/v1/stock/open?a=1'],
    ['HTTPS://[::1]/api/v1/stock/open', '[::1]', '/api/v1/stock/open'],
  ])('%s is served: its host counts and not Host', async (target, host, url) => {
    const stock = await upstream((_, res) => res.end('served'));
    const { port } = await gatewayTo([stock.instance]);
    const answer = await raw(port, `GET ${target} HTTP/1.1\r\nHost: other\r\n\r\n`);
    expect([answer.status, stock.requests]).toMatchObject([
      200,
      [{ url, headers: { 'x-forwarded-host': host } }],
    ]);
  });

  it.each(['', '?a=1', '/'])('http://erp.example%s is the home page', async (rest) => {
    const { port } = await gatewayTo([]);
    const { text } = await raw(port, `GET http://erp.example${rest} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 200 .*<!doctype html>/is);
  });

  it('OPTIONS * lists the methods', async () => {
    const { port } = await gatewayTo([]);
    const { text } = await raw(port, 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 204 .*\r\nallow: GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE\r\n/s);
  });

  it.each(['TRACE', 'PROPFIND'])('%s is no method of ours', async (method) => {
    const stock = await upstream((_, res) => res.end());
    const { port } = await gatewayTo([stock.instance]);
    const lines = 'Host: a\r\nAuthorization: Bearer good-1';
    const { text } = await raw(port, `${method} /api/v1/stock/open HTTP/1.1\r\n${lines}\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 405 /);
    expect(text).toMatch(/\r\nallow: GET, HEAD, /);
    expect(stock.requests).toEqual([]);
  });

  it('CONNECT gets no reply, because this is no open proxy', async () => {
    const { port } = await gatewayTo([]);
    expect(await raw(port, 'CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n')).toMatchObject({
      text: '',
    });
  });
});
