import type { RequestListener } from 'node:http';
import { memoryCache } from '@marimo/cache';
import { closeAll, type GatewayUnderTest, operatorToken, until } from '../../test/gateway-under-test.ts';
import {
  anna,
  counting,
  env,
  oak,
  oakOlga,
  pine,
  pricesBehindGateway,
} from '../../test/prices-under-test.ts';

afterEach(closeAll);

describe('a cacheable reply', () => {
  it('is served from the cache with its age until it expires', async () => {
    const { service, ask, later } = await pricesBehindGateway(counting());
    const first = await ask();
    expect([first.cached, first.answer.headers.get('age')]).toEqual(['miss', '0']);
    later(9_999);
    const second = await ask();
    expect([second.cached, second.answer.headers.get('age'), second.text]).toEqual(['hit', '9', first.text]);
    expect(second.answer.headers.get('content-type')).toBe('application/json');
    expect(second.answer.headers.get('x-request-id')).not.toBe(first.answer.headers.get('x-request-id'));
    expect(second.answer.headers.get('ratelimit-limit')).toBe('9999');
    later(1);
    expect((await ask()).cached).toBe('miss');
    expect(service.requests).toHaveLength(2);
  });

  it.each([
    ['another organisation', `${oak}.anna.1`],
    ['another person of the organisation', `${pine}.boris.1`],
    ['the same person with other rights', `${pine}.anna.2`],
  ])('is not served to %s', async (_, token) => {
    const { ask } = await pricesBehindGateway((req, res) => res.end(req.headers.authorization));
    expect((await ask('/prices', anna)).text).toBe(`Bearer ${anna}`);
    const other = await ask('/prices', token);
    expect([other.cached, other.text]).toEqual(['miss', `Bearer ${token}`]);
  });

  it('is not served for an invalid token, nor beyond the limits', async () => {
    const { ask } = await pricesBehindGateway(counting(), {
      env: { ...env, RATE_LIMIT_CALLER: '1/min,burst=2' },
    });
    expect((await ask()).cached).toBe('miss');
    expect((await ask('/prices', 'bad')).answer.status).toBe(401);
    expect((await ask()).cached).toBe('hit');
    expect((await ask()).answer.status).toBe(429);
  });

  it('is found in any order of the query, and not for another query, language or type', async () => {
    const { ask } = await pricesBehindGateway((req, res) =>
      res.end(`${req.url} ${req.headers['accept-language']}`),
    );
    expect((await ask('/prices?item=1&day=2026-01-01')).cached).toBe('miss');
    expect((await ask('/prices?day=2026-01-01&item=1')).cached).toBe('hit');
    expect((await ask('/prices?item=1&item=2')).cached).toBe('miss');
    expect((await ask('/prices?item=2&item=1')).cached).toBe('miss');
    expect((await ask('/prices', anna, { headers: { 'accept-language': 'ru' } })).text).toMatch(/ru$/);
    expect((await ask('/prices', anna, { headers: { 'accept-language': 'en' } })).text).toMatch(/en$/);
    expect((await ask('/prices', anna, { headers: { accept: 'text/csv' } })).cached).toBe('miss');
  });

  it('is requested only with what is part of its cache key', async () => {
    const { service, ask } = await pricesBehindGateway(counting());
    await ask('/prices', anna, { headers: { cookie: 'a=1', 'x-colour': 'red', 'if-none-match': '"1"' } });
    expect(Object.keys(service.requests[0]!.headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/cookie|x-colour|if-none-match/)]),
    );
  });

  it('is requested without the token on a public route', async () => {
    const { service, ask } = await pricesBehindGateway((req, res) =>
      res.end(`for ${req.headers.authorization}`),
    );
    expect((await ask('/offers', anna)).text).toBe('for undefined');
    expect((await ask('/offers', oakOlga)).cached).toBe('hit');
    expect(service.requests).toHaveLength(1);
  });

  it('is not sent to a client that has it already', async () => {
    const { ask, service } = await pricesBehindGateway((_, res) => res.setHeader('etag', '"7"').end('seven'));
    expect((await ask()).answer.headers.get('etag')).toBe('"7"');
    const again = await ask('/prices', anna, { headers: { 'if-none-match': 'W/"6", W/"7"' } });
    expect([again.answer.status, again.text, again.cached]).toEqual([304, '', 'hit']);
    expect((await ask('/prices', anna, { headers: { 'if-none-match': '"8"' } })).text).toBe('seven');
    expect(service.requests).toHaveLength(1);
  });

  it('gets an ETag of the gateway if the service sends none, from the first reply on', async () => {
    const { ask } = await pricesBehindGateway(counting());
    const [first, second] = [await ask(), await ask()];
    const etag = first.answer.headers.get('etag') as string;
    expect([etag, first.cached]).toEqual([second.answer.headers.get('etag'), 'miss']);
    expect((await ask('/prices', anna, { headers: { 'if-none-match': etag } })).answer.status).toBe(304);
  });

  it.each([
    ['another status', (res: Parameters<RequestListener>[1]) => res.writeHead(404).end()],
    ['a cookie', (res: Parameters<RequestListener>[1]) => res.setHeader('set-cookie', 'a=1').end()],
    [
      'a form that varies by what is not in the key',
      (res: Parameters<RequestListener>[1]) => res.setHeader('vary', 'x-colour').end(),
    ],
    ['more than 256 KB', (res: Parameters<RequestListener>[1]) => res.end('x'.repeat(262_145))],
    [
      'more than 256 KB of unknown length',
      (res: Parameters<RequestListener>[1]) => {
        for (let at = 0; at < 5; at++) res.write('x'.repeat(60_000));
        res.end();
      },
    ],
  ])('does not include %s', async (_, answer) => {
    const { ask } = await pricesBehindGateway((_req, res) => answer(res));
    const [first, second] = [await ask(), await ask()];
    expect(first.text).toBe(second.text);
    expect(first.answer.status).toBe(second.answer.status);
    expect([first.cached, second.cached]).not.toContain('hit');
  });

  it.each([
    ['a route that declares nothing', '/things/1', {}],
    ['a route whose answers may hold secrets', '/secrets', {}],
    ['a HEAD', '/prices', { method: 'HEAD' }],
    ['a part of it', '/prices', { headers: { range: 'bytes=0-1' } }],
  ])('is not used for %s', async (_, path, init) => {
    const { service, ask } = await pricesBehindGateway(counting());
    await ask(path);
    const before = service.requests.length;
    expect((await ask(path, anna, init)).cached).not.toBe('hit');
    expect(service.requests).toHaveLength(before + 1);
  });

  it('is evicted for newer ones within the bounds', async () => {
    const { ask } = await pricesBehindGateway((_, res) => res.end('x'.repeat(200_000)), {
      env: { ...env, RESPONSE_CACHE_MB: '1' },
    });
    for (let at = 0; at < 6; at++) await ask(`/prices?item=${at}`);
    expect((await ask('/prices?item=5')).cached).toBe('hit');
    expect((await ask('/prices?item=0')).cached).toBe('miss');
  });
});

async function purge({ operators }: GatewayUnderTest, what: object): Promise<unknown> {
  const answer = await fetch(`${operators}/cache/purge`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'olga', ...what }),
  });
  return [answer.status, await answer.json()];
}

describe('an operator emptying the cache', () => {
  it('removes the replies of a route, of an organisation or all, at every gateway', async () => {
    const shared = memoryCache();
    const near = await pricesBehindGateway(counting(), { cache: shared });
    const far = await pricesBehindGateway(counting(), { cache: shared });
    const keptAtFar = async () => {
      const asked = [far.ask(), far.ask('/offers'), far.ask('/prices', oakOlga)];
      return (await Promise.all(asked)).map(({ cached }) => cached).join(' ');
    };
    await Promise.all([near.ask(), near.ask('/offers'), keptAtFar()]);
    expect(await keptAtFar()).toBe('hit hit hit');
    expect(await purge(near.gateway, { route: '/api/v1/stock/offers' })).toEqual([200, { purged: 1 }]);
    expect(await keptAtFar()).toBe('hit miss hit');
    expect(await purge(near.gateway, { tenantId: pine })).toEqual([200, { purged: 1 }]);
    expect(await keptAtFar()).toBe('miss hit hit');
    expect(await purge(near.gateway, {})).toEqual([200, { purged: 0 }]);
    expect(await keptAtFar()).toBe('miss miss miss');
  });

  it('also drops replies that were on their way', async () => {
    const held: (() => void)[] = [];
    const { ask, gateway } = await pricesBehindGateway((_, res) =>
      held.push(() => res.end(`${held.length}`)),
    );
    const before = ask();
    await until(() => held.length === 1);
    expect(await purge(gateway, {})).toEqual([200, { purged: 0 }]);
    const after = ask();
    await until(() => held.length === 2); // it did not join what began before
    for (const end of held) end();
    expect([(await before).cached, (await after).cached]).toEqual(['miss', 'miss']);
  });
});

describe('a disabled cache', () => {
  it('stores nothing, and concurrent requests are still merged', async () => {
    const held: (() => void)[] = [];
    const { service, ask, gateway } = await pricesBehindGateway((_, res) => held.push(() => res.end('one')), {
      env: { ...env, RESPONSE_CACHE_MB: '0' },
    });
    const herd = [ask(), ask(), ask()];
    await until(
      async () => (await gateway.measured('gateway_ratelimit_total', { decision: 'allowed' })) === 3,
    );
    await until(() => held.length === 1);
    held[0]!();
    await Promise.all(herd);
    expect(service.requests).toHaveLength(1);
    const next = ask();
    await until(() => held.length === 2);
    held[1]!();
    expect((await next).cached).toBe('miss');
  });
});
