import { WebSocket, WebSocketServer } from 'ws';
import {
  type GatewayUnderTest,
  gatewayTo,
  type Options,
  type Upstream,
  upstream,
} from './gateway-under-test.ts';

export const sockets = [
  { service: 'stock', path: '/api/v1/stock/live', bearer: true },
  { service: 'stock', path: '/api/v1/stock/asks-itself', bearer: false },
];

/** A service that says back what it hears. */
export async function echo(): Promise<Upstream> {
  const stock = await upstream((_, res) => res.writeHead(426).end('upgrade first'));
  const behind = new WebSocketServer({ noServer: true });
  stock.server.on('upgrade', (req, socket, head) => {
    stock.requests.push({ method: 'UPGRADE', url: req.url ?? '', headers: req.headers });
    behind.handleUpgrade(req, socket, head, (peer) => {
      peer.on('error', () => {});
      peer.on('message', (data: Buffer) => peer.send(data.toString().toUpperCase()));
    });
  });
  return stock;
}

export const toStock = async (stock: Upstream, options: Options = {}) =>
  gatewayTo([stock.instance], { sockets, ...options });

export function dial(
  { port }: GatewayUnderTest,
  path = '/api/v1/stock/live',
  headers: Record<string, string> = {},
): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
    headers: { authorization: 'Bearer good-1', ...headers },
  });
  socket.on('error', () => {});
  return socket;
}

export const opened = (socket: WebSocket) => new Promise((resolve) => socket.once('open', resolve));
