import { createHash, randomBytes } from 'node:crypto';
import { Unauthenticated, Unavailable } from '@marimo/contracts';
import { WebSocket, WebSocketServer } from 'ws';
import { closeAll, raw, testVerifier, until, upstream } from '../test/gateway-under-test.ts';
import { dial, echo, opened, toStock } from '../test/sockets-under-test.ts';

afterEach(closeAll);

const upgradeTo = (path: string, lines = '') =>
  `GET ${path} HTTP/1.1\r\nHost: erp.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n${lines}\r\n`;

describe("a signed-in client's tunnel", () => {
  const codeOf = (socket: WebSocket) =>
    new Promise<number>((resolve) => socket.once('close', (code) => resolve(code)));

  /** A service that says back what it hears, and remembers how its sockets ended. */
  async function listening() {
    const codes: number[] = [];
    const stock = await upstream((_, res) => res.writeHead(426).end());
    const behind = new WebSocketServer({ noServer: true });
    stock.server.on('upgrade', (req, socket, head) => {
      behind.handleUpgrade(req, socket, head, (peer) => {
        peer.on('error', () => {}).on('close', (code) => codes.push(code));
        peer.on('message', (data: Buffer) => peer.send(data.toString()));
      });
    });
    return { stock, codes };
  }

  it('closes on both sides with a close frame when the session ends', async () => {
    const ended = new Set<string>();
    const verifier = {
      async verify(token: string) {
        if (ended.has(token)) throw new Unauthenticated({});
        return testVerifier.verify(token);
      },
    };
    const { stock, codes } = await listening();
    const gateway = await toStock(stock, { verifier, tunnelLimits: { lookAgainMs: 5 } });
    const [one, other] = [dial(gateway), dial(gateway, undefined, { authorization: 'Bearer good-2' })];
    await Promise.all([opened(one), opened(other)]);
    const over = codeOf(one);
    ended.add('good-1');
    expect(await over).toBe(4401);
    await until(() => codes.length === 1);
    expect(codes).toEqual([4401]);
    expect(other.readyState).toBe(WebSocket.OPEN);
    await until(async () => (await gateway.measured('gateway_ws_tunnels')) === 1);
  });

  it('stays open while the session cannot be checked', async () => {
    let asked = 0;
    const verifier = {
      async verify(token: string) {
        asked += 1;
        if (asked > 1) throw new Unavailable({ service: 'users' });
        return testVerifier.verify(token);
      },
    };
    const gateway = await toStock(await echo(), { verifier, tunnelLimits: { lookAgainMs: 5 } });
    const socket = dial(gateway);
    await opened(socket);
    await until(() => asked > 3);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  it('is closed after too long without a frame in either direction', async () => {
    const { stock, codes } = await listening();
    const gateway = await toStock(stock, { tunnelLimits: { idleMs: 100 } });
    const socket = dial(gateway);
    await opened(socket);
    expect(await codeOf(socket)).toBe(4408);
    await until(() => codes.length === 1);
    await until(async () => (await gateway.measured('gateway_ws_tunnels')) === 0);
  });

  it('is asked to reconnect when the gateway drains', async () => {
    const { stock, codes } = await listening();
    const gateway = await toStock(stock);
    const sockets = Array.from({ length: 20 }, () =>
      dial(gateway, undefined, { authorization: `Bearer good-${Math.random()}` }),
    );
    await Promise.all(sockets.map(opened));
    const over = Promise.all(sockets.map(codeOf));
    gateway.drain();
    expect(new Set(await over)).toEqual(new Set([1012]));
    await until(() => codes.length === 20);
    expect(new Set(codes)).toEqual(new Set([1012]));
    await until(async () => (await gateway.connections()) === 0);
  });

  it('gets its last frame completely before the close frame', async () => {
    let finish = () => {};
    const stock = await upstream(() => {});
    stock.server.on('upgrade', (req, socket) => {
      const accept = createHash('sha1')
        .update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.write(Buffer.concat([Buffer.of(0x81, 10), Buffer.from('half ')]));
      finish = () => socket.write('whole');
      socket.on('error', () => {}).resume();
    });
    const gateway = await toStock(stock);
    const socket = dial(gateway);
    const heard: string[] = [];
    socket.on('message', (data: Buffer) => heard.push(data.toString()));
    await opened(socket);
    const over = codeOf(socket);
    gateway.drain();
    finish();
    expect(await over).toBe(1012);
    expect(heard).toEqual(['half whole']);
  });

  it.each([
    ['their session has as many as it may', { perSession: 2 }, 'good-1', 429],
    ['their organisation has as many as it may', { perTenant: 2 }, 'good-2', 429],
    ['the gateway has as many as it may', { inAll: 2 }, 'good-2', 503],
  ])('is refused when %s; one that closes frees a place', async (_, tunnelLimits, token, status) => {
    const gateway = await toStock(await echo(), { tunnelLimits });
    const both = [dial(gateway), dial(gateway)];
    await Promise.all(both.map(opened));
    const third = () =>
      raw(gateway.port, upgradeTo('/api/v1/stock/live', `Authorization: Bearer ${token}\r\n`), {
        toTheEnd: true,
      });
    expect((await third()).status).toBe(status);
    both[0]!.close();
    await until(async () => (await gateway.measured('gateway_ws_tunnels')) === 1);
    await opened(dial(gateway, undefined, { authorization: `Bearer ${token}` }));
  });

  it('requires the permission of its route', async () => {
    const permission = 'stock.thing.watch';
    const verifier = {
      verify: async (token: string) => ({
        ...(await testVerifier.verify(token)),
        may: (asked: string) => asked === permission && token === 'good-1',
      }),
    };
    const route = { service: 'stock', path: '/api/v1/stock/live', bearer: true, permission };
    const gateway = await toStock(await echo(), { verifier, sockets: [route] });
    await opened(dial(gateway));
    const refused = await raw(
      gateway.port,
      upgradeTo('/api/v1/stock/live', 'Authorization: Bearer good-2\r\n'),
      { toTheEnd: true },
    );
    expect(refused.status).toBe(403);
  });
});
