import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { WebSocket } from 'ws';
import { closeAll, gatewayTo, instanceAt, raw, until, upstream } from '../test/gateway-under-test.ts';
import { dial, echo, opened, sockets, toStock } from '../test/sockets-under-test.ts';

afterEach(closeAll);

const closed = (socket: WebSocket) => new Promise((resolve) => socket.once('close', resolve));

const upgradeTo = (path: string, lines = '') =>
  `GET ${path} HTTP/1.1\r\nHost: erp.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n${lines}\r\n`;

describe('a WebSocket upgrade', () => {
  it.each([
    ['of a path without a socket', '/api/v1/stock/open', 'Authorization: Bearer good-1\r\n', 404],
    ['of an unknown service', '/api/v1/nobody/live', '', 404],
    ['of a page', '/docs', '', 404],
    ['of what is inside the house', '/internal/live', '', 404],
    ['of an ambiguous path', '/api/v1/stock/x/../live', 'Authorization: Bearer good-1\r\n', 400],
    ['with two hosts', '/api/v1/stock/live', 'Host: b\r\nAuthorization: Bearer good-1\r\n', 400],
    ['without a token', '/api/v1/stock/live', '', 401],
    ['with a bad token', '/api/v1/stock/live', 'Authorization: Bearer bad\r\n', 401],
    [
      'from a page of another site',
      '/api/v1/stock/live',
      'Authorization: Bearer good-1\r\nOrigin: https://evil.example\r\n',
      403,
    ],
    [
      'from a page without an origin',
      '/api/v1/stock/live',
      'Authorization: Bearer good-1\r\nOrigin: null\r\n',
      403,
    ],
  ])('%s is refused as a problem, and its socket is released', async (_, path, lines, status) => {
    const stock = await echo();
    const gateway = await toStock(stock);
    const answer = await raw(gateway.port, upgradeTo(path, lines), { toTheEnd: true });
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(/application\/problem\+json/);
    expect(answer.ended).toBe('closed');
    expect(stock.requests).toEqual([]);
    await until(async () => (await gateway.connections()) === 0);
  });

  it('refused two hundred times leaves no socket open', async () => {
    const gateway = await toStock(await echo());
    for (let round = 0; round < 4; round++) {
      const refused = Array.from({ length: 50 }, () =>
        raw(gateway.port, upgradeTo('/api/v1/stock/live'), { toTheEnd: true }),
      );
      expect(new Set((await Promise.all(refused)).map(({ status }) => status))).toEqual(new Set([401]));
    }
    await until(async () => (await gateway.connections()) === 0);
  });

  it('of a public route carries both directions, with the headers of any request', async () => {
    const stock = await echo();
    const gateway = await toStock(stock);
    const socket = dial(gateway, '/api/v1/stock/live', {
      'x-user-id': 'spoofed',
      'x-forwarded-for': 'spoofed',
      origin: `http://127.0.0.1:${gateway.port}`,
    });
    await opened(socket);
    const heard = new Promise((resolve) =>
      socket.once('message', (data: Buffer) => resolve(data.toString())),
    );
    socket.send('hello');
    expect(await heard).toBe('HELLO');
    expect(JSON.stringify(stock.requests)).not.toMatch(/spoofed/);
    expect(stock.requests[0]!.headers).toMatchObject({
      authorization: 'Bearer good-1',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': `127.0.0.1:${gateway.port}`,
      host: `127.0.0.1:${stock.instance.port}`,
    });
    expect(await gateway.measured('gateway_ws_tunnels')).toBe(1);
    socket.close();
    await until(async () => (await gateway.measured('gateway_ws_tunnels')) === 0);
    await until(() => stock.sockets.size === 0);
  });

  it('of a route whose service authenticates needs no token', async () => {
    const gateway = await toStock(await echo());
    await opened(dial(gateway, '/api/v1/stock/asks-itself', { authorization: 'Bearer bad' }));
  });

  it('is accepted from an origin in the settings', async () => {
    const gateway = await toStock(await echo(), { env: { ALLOWED_ORIGINS: 'https://shop.example' } });
    await opened(dial(gateway, '/api/v1/stock/live', { origin: 'https://shop.example' }));
  });

  it('counts against the limits', async () => {
    const gateway = await toStock(await echo(), { env: { RATE_LIMIT_CALLER: '6/min,burst=1' } });
    await opened(dial(gateway));
    const second = await raw(
      gateway.port,
      upgradeTo('/api/v1/stock/live', 'Authorization: Bearer good-1\r\n'),
      { toTheEnd: true },
    );
    expect(second.status).toBe(429);
    expect(second.text).toMatch(/retry-after: 10/);
  });

  it.each([
    ['a token nobody believes', '/api/v1/stock/live', 'Authorization: Bearer bad\r\n'],
    ['no token', '/api/v1/stock/live', ''],
    ['a path that opens none', '/api/v1/stock/none', ''],
  ])('with %s counts too, against its address', async (_, path, lines) => {
    const gateway = await toStock(await echo(), { env: { RATE_LIMIT_CALLER: '1/h,burst=2' } });
    const statuses: number[] = [];
    for (let tries = 0; tries < 4; tries++)
      statuses.push((await raw(gateway.port, upgradeTo(path, lines), { toTheEnd: true })).status);
    expect(statuses.slice(2)).toEqual([429, 429]);
    const refused = await gateway.measured('gateway_refused_tokens_total');
    expect(refused).toBe(path.endsWith('live') ? 4 : 0);
  });

  it('behind an unanswered request is not taken as its reply', async () => {
    const stock = await upstream((_, res) => void setTimeout(() => res.end('slow'), 100));
    const gateway = await gatewayTo([stock.instance], { sockets });
    const first = 'GET /api/v1/stock/open HTTP/1.1\r\nHost: erp.example\r\n\r\n';
    const { text } = await raw(gateway.port, first + upgradeTo('/api/v1/stock/none'), { toTheEnd: true });
    expect(text).toBe('');
  });

  it('to an instance that cannot be reached is a 502 problem', async () => {
    const gateway = await gatewayTo([instanceAt(1)], { sockets });
    const answer = await raw(
      gateway.port,
      upgradeTo('/api/v1/stock/live', 'Authorization: Bearer good-1\r\n'),
      { toTheEnd: true },
    );
    expect(answer.status).toBe(502);
    expect(answer.text).toMatch(/platform.bad-upstream/);
    await until(async () => (await gateway.connections()) === 0);
  });

  it("refused by the service ends with the service's reply", async () => {
    const stock = await upstream((_, res) => res.writeHead(409, { 'content-length': 5 }).end('taken'));
    const gateway = await toStock(stock);
    const answer = await raw(
      gateway.port,
      upgradeTo('/api/v1/stock/live', 'Authorization: Bearer good-1\r\n'),
      { toTheEnd: true },
    );
    expect(answer.status).toBe(409);
    expect(answer.text).toMatch(/taken$/);
    await until(async () => (await gateway.connections()) === 0);
  });
});

describe('a tunnel whose end is lost', () => {
  it('closes on both sides when the client vanishes', async () => {
    const stock = await echo();
    const gateway = await toStock(stock, { tunnelLimits: { perSession: 30 } });
    const clients = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const socket = dial(gateway);
        await opened(socket);
        return socket;
      }),
    );
    expect(stock.sockets.size).toBe(30);
    for (const client of clients) client.terminate();
    await until(() => stock.sockets.size === 0);
    await until(async () => (await gateway.connections()) === 0);
  });

  it('closes on both sides when the service vanishes', async () => {
    const stock = await echo();
    const gateway = await toStock(stock);
    const socket = dial(gateway);
    await opened(socket);
    const over = closed(socket);
    for (const one of stock.sockets) one.resetAndDestroy();
    await over;
    await until(async () => (await gateway.connections()) === 0);
  });

  it('closes although the client leaves its half open', async () => {
    const stock = await echo();
    const gateway = await toStock(stock);
    const client = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
    const answered = new Promise((resolve) => client.once('data', resolve));
    client.write(upgradeTo('/api/v1/stock/live', 'Authorization: Bearer good-1\r\n'));
    await answered;
    for (const one of stock.sockets) one.destroy();
    await until(async () => (await gateway.connections()) === 0);
    client.destroy();
  });

  it('is released when the client has left and the service does not reply', async () => {
    const stock = await upstream(() => {});
    // Never answers, and lets go only when it is let go of.
    stock.server.on('upgrade', (_, socket) => socket.on('end', () => socket.destroy()).resume());
    const gateway = await toStock(stock);
    const client = connect(gateway.port, '127.0.0.1');
    client.write(upgradeTo('/api/v1/stock/live', 'Authorization: Bearer good-1\r\n'));
    await until(() => stock.sockets.size === 1);
    client.destroy();
    await until(() => stock.sockets.size === 0);
    await until(async () => (await gateway.connections()) === 0);
  });

  it('closes when the gateway drains', async () => {
    const stock = await echo();
    const gateway = await toStock(stock);
    const socket = dial(gateway);
    await opened(socket);
    const over = closed(socket);
    gateway.drain();
    await over;
    await until(() => stock.sockets.size === 0);
    const late = await raw(
      gateway.port,
      upgradeTo('/api/v1/stock/live', 'Authorization: Bearer good-1\r\n'),
      { toTheEnd: true },
    );
    expect(late.status).toBe(503);
  });
});

describe('an offer of another protocol', () => {
  it('is ignored: the request is served as HTTP/1.1', async () => {
    const stock = await upstream((_, res) => res.end('answer'));
    const gateway = await toStock(stock);
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n';
    const answer = await raw(gateway.port, `GET /api/v1/stock/open HTTP/1.1\r\nHost: a\r\n${offer}\r\n`);
    expect(answer.status).toBe(200);
    expect(stock.requests[0]!.headers).not.toHaveProperty('upgrade');
  });
});
