import { Unauthenticated, Unavailable } from '@marimo/contracts';
import { apiKeys } from '@marimo/contracts/users';
import { createLog, createMetrics } from '@marimo/observability';
import { toProblem } from '@marimo/problems';
import { RefusedByService } from '@marimo/resilience';
import type { Caller } from '@marimo/service-kit';
import { WebSocket, WebSocketServer } from 'ws';
import {
  closeAll,
  type GatewayUnderTest,
  gatewayTo,
  type Options,
  raw,
  type Upstream,
  upstream,
} from '../../test/gateway-under-test.ts';
import type { ClientHeaders } from '../proxy/index.ts';
import { identifier, rememberedRefusals } from './api-key.ts';

afterEach(closeAll);

const keyNumber = (number: number) => {
  const body = Buffer.alloc(54);
  body.writeUInt32BE(number);
  return apiKeys.apiKeyOf(body.toString('base64url'));
};
const key = keyNumber(1);

/** `users` as far as keys go: gives the tokens `good-1`, `good-2`, … */
class Users {
  asked: { key: string; address: string }[] = [];
  knows: (key: string) => boolean = () => true;
  away = false;
  expiresIn = 900;
  /** Set to make answers wait. */
  ready: Promise<void> = Promise.resolve();

  readonly client = {
    call: async (_: unknown, input: unknown) => {
      const { body } = input as { body: { key: string; address: string } };
      this.asked.push(body);
      const accessToken = `good-${this.asked.length}`;
      await this.ready;
      if (this.away) throw new Unavailable({ service: 'users' });
      if (!this.knows(body.key)) {
        throw new RefusedByService('users', 'unauthenticated', toProblem(new apiKeys.ApiKeyRefused({}), 'x'));
      }
      return { status: 200, body: { accessToken, expiresIn: this.expiresIn, tokenType: 'Bearer' } } as never;
    },
  };
}

describe('an API key at the gateway', () => {
  let users: Users;
  let stock: Upstream;
  let gateway: GatewayUnderTest;
  const start = async (options: Options = {}) => {
    users = new Users();
    stock = await upstream((_, res) => res.end());
    gateway = await gatewayTo([stock.instance], { client: users.client, ...options });
  };
  const ask = (headers: Record<string, string>, path = '/api/v1/stock/things/1') =>
    fetch(gateway.url + path, { headers });

  it.each([
    ['as a bearer', { authorization: `Bearer ${key}` }],
    ['as a bearer in small letters', { authorization: `bearer ${key}` }],
    ['in its own header', { 'x-api-key': key }],
  ])('is accepted %s, and the service receives only a token', async (_, headers) => {
    await start();
    expect((await ask(headers)).status).toBe(200);
    expect(stock.requests[0]!.headers['authorization']).toBe('Bearer good-1');
    expect(JSON.stringify(stock.requests)).not.toMatch(/mk_|x-api-key/);
    expect(users.asked).toEqual([{ key, address: '127.0.0.1' }]);
    expect((await ask(headers)).status).toBe(200);
    expect(users.asked).toHaveLength(1);
    expect(await gateway.measured('gateway_api_key_exchanges_total', { outcome: 'issued' })).toBe(1);
  });

  it.each([
    ['as a bearer', { authorization: `Bearer ${key}` }],
    ['in its own header', { 'x-api-key': key, x_api_key: key }],
    ['in a header that Connection takes away', { 'x-api-key': key, connection: 'x-api-key' }],
  ])('%s is not forwarded to any service, also on public routes', async (_, headers) => {
    await start();
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const request = `GET /api/v1/stock/open HTTP/1.1\r\nHost: a\r\n${lines.join('')}\r\n`;
    expect((await raw(gateway.port, request)).status).toBe(200);
    expect(JSON.stringify(stock.requests)).not.toMatch(/mk_|api.key/);
    expect(users.asked).toEqual([]);
  });

  it.each([
    ['that is mistyped', { authorization: `Bearer ${key.slice(0, -1)}x` }, 401],
    ['that is no key', { 'x-api-key': 'good-1' }, 401],
    ['that is empty', { 'x-api-key': '' }, 401],
    ['beside a token', { 'x-api-key': key, authorization: 'Bearer good-1' }, 400],
  ])('%s is refused without asking users', async (_, headers, status) => {
    await start();
    expect((await ask(headers)).status).toBe(status);
    expect([users.asked, stock.requests]).toEqual([[], []]);
  });

  it('sent twice is refused, because two servers could read different keys', async () => {
    await start();
    const lines = `X-Api-Key: ${key}\r\nX-Api-Key: ${keyNumber(2)}\r\n`;
    const request = `GET /api/v1/stock/things/1 HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
    expect((await raw(gateway.port, request)).status).toBe(400);
    expect([users.asked, stock.requests]).toEqual([[], []]);
  });

  it('unknown to users is refused with the reason, and not asked about again at once', async () => {
    await start();
    users.knows = () => false;
    for (let n = 0; n < 3; n++) {
      const answer = await ask({ 'x-api-key': key });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(await answer.json()).toMatchObject({ code: 'users.api-key-refused' });
    }
    expect(users.asked).toHaveLength(1);
    expect(stock.requests).toEqual([]);
    expect(await gateway.measured('gateway_refused_tokens_total')).toBe(3);
    expect(await gateway.measured('gateway_api_key_exchanges_total', { outcome: 'refused' })).toBe(1);
  });

  it('after many wrong ones is throttled by address before users is asked', async () => {
    await start({ env: { RATE_LIMIT_CALLER: '6/min,burst=6' } });
    users.knows = () => false;
    const statuses = new Set<number>();
    for (let n = 0; n < 20; n++) statuses.add((await ask({ 'x-api-key': keyNumber(n) })).status);
    expect([...statuses]).toEqual([401, 429]);
    expect(users.asked.length).toBeLessThanOrEqual(6);
  });

  it('gets 503 and not 401 while users is unavailable, and one with a cached token continues', async () => {
    await start();
    expect((await ask({ 'x-api-key': key })).status).toBe(200);
    users.away = true;
    expect((await ask({ 'x-api-key': key })).status).toBe(200);
    const other = await ask({ 'x-api-key': keyNumber(2) });
    expect(other.status).toBe(503);
    expect(other.headers.get('retry-after')).toBe('1');
    expect(await gateway.measured('gateway_api_key_exchanges_total', { outcome: 'unavailable' })).toBe(1);
    users.away = false;
    expect((await ask({ 'x-api-key': keyNumber(2) })).status).toBe(200);
  });

  it('opens a WebSocket, which the service receives with the token', async () => {
    const sockets = [{ service: 'stock', path: '/api/v1/stock/live', bearer: true }];
    await start({ sockets });
    const behind = new WebSocketServer({ server: stock.server });
    const seen = new Promise((resolve) =>
      behind.once('connection', (peer, req) => {
        peer.on('error', () => {});
        resolve(req.headers);
      }),
    );
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/api/v1/stock/live`, {
      headers: { 'x-api-key': key },
    });
    socket.on('error', () => {});
    const headers = await seen;
    expect(headers).toMatchObject({ authorization: 'Bearer good-1' });
    expect(JSON.stringify(headers)).not.toMatch(/mk_|x-api-key/);
    socket.terminate();
    behind.close();
  });
});

describe('the tokens cached for API keys', () => {
  let users: Users;
  let nowMs: number;
  const voided = new Set<string>();
  const callerOf = (bearer: string) => ({ bearer }) as Caller;
  let identify: (key: string) => Promise<string>;

  beforeEach(() => {
    users = new Users();
    nowMs = Date.parse('2026-03-31T09:00:00Z');
    voided.clear();
    const identifies = identifier({
      verifier: {
        async verify(token) {
          if (voided.has(token)) throw new Unauthenticated({});
          return callerOf(token);
        },
      },
      client: users.client,
      limiter: { take: async () => {} },
      metrics: createMetrics('gateway'),
      log: createLog({ service: 'gateway', level: 'silent' }),
      now: () => nowMs,
    });
    identify = async (apiKey) => {
      const headers: ClientHeaders = {
        passed: [],
        host: 'a',
        authorization: undefined,
        apiKey,
        keyed: false,
      };
      return (await identifies(headers, '10.1.1.1')).bearer;
    };
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('are requested once, however many requests wait', async () => {
    let answer = () => {};
    users.ready = new Promise((resolve) => {
      answer = resolve;
    });
    const waiting = Array.from({ length: 100 }, () => identify(key));
    await settled();
    answer();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['good-1']));
    expect(users.asked).toHaveLength(1);
  });

  it('are renewed in the background before they expire; without users they are used until then', async () => {
    await identify(key);
    nowMs += 841_000;
    expect(await identify(key)).toBe('good-1');
    await settled();
    expect(await identify(key)).toBe('good-2');
    users.away = true;
    nowMs += 890_000;
    expect(await identify(key)).toBe('good-2');
    nowMs += 6_000;
    await expect(identify(key)).rejects.toBeInstanceOf(Unavailable);
  });

  it('end when the key is revoked', async () => {
    await identify(key);
    voided.add('good-1');
    users.knows = () => false;
    await expect(identify(key)).rejects.toBeInstanceOf(apiKeys.ApiKeyRefused);
    await expect(identify(key)).rejects.toBeInstanceOf(apiKeys.ApiKeyRefused);
    expect(users.asked).toHaveLength(2);
  });

  it('are renewed when only the rights changed, without a failed request', async () => {
    await identify(key);
    voided.add('good-1');
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => identify(key))))).toEqual(
      new Set(['good-2']),
    );
    expect(users.asked).toHaveLength(2);
  });

  it('are requested again a few seconds after a refusal, for a key that works meanwhile', async () => {
    users.knows = () => false;
    await expect(identify(key)).rejects.toBeInstanceOf(apiKeys.ApiKeyRefused);
    users.knows = () => true;
    nowMs += 4_999;
    await expect(identify(key)).rejects.toBeInstanceOf(apiKeys.ApiKeyRefused);
    nowMs += 1;
    expect(await identify(key)).toBe('good-2');
  });

  it('and the cached refusals are bounded, so that strangers cannot fill the memory', async () => {
    users.knows = () => false;
    await expect(identify(key)).rejects.toBeInstanceOf(apiKeys.ApiKeyRefused);
    for (let n = 0; n < rememberedRefusals; n++) await identify(keyNumber(n + 10)).catch(() => {});
    const asked = users.asked.length;
    await expect(identify(key)).rejects.toBeInstanceOf(apiKeys.ApiKeyRefused);
    expect(users.asked).toHaveLength(asked + 1); // it had been forgotten
    await identify(keyNumber(rememberedRefusals + 9)).catch(() => {});
    expect(users.asked).toHaveLength(asked + 1);
  });
});
