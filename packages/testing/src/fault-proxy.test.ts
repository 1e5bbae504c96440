import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultProxy, faultProxy } from './fault-proxy.ts';

describe('a network that fails on command', () => {
  let server: Server;
  let proxy: FaultProxy;
  const heard: string[] = [];
  const sockets: Socket[] = [];

  beforeEach(async () => {
    heard.length = 0;
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        heard.push(String(chunk));
        socket.write(`re:${String(chunk)}`);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await faultProxy({ target: `127.0.0.1:${(server.address() as { port: number }).port}` });
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await proxy.close();
    server.close();
  });

  /** A client that notes what it received and how its connection ended. */
  async function client() {
    const socket = connect(proxy.port, '127.0.0.1');
    sockets.push(socket);
    const state = { socket, received: '', ending: '' };
    socket.on('data', (chunk) => {
      state.received += chunk;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      state.ending = error.code ?? '';
    });
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
    return state;
  }

  async function until(condition: () => boolean): Promise<void> {
    for (let i = 0; i < 400 && !condition(); i++) await sleep(5);
    expect(condition()).toBe(true);
  }

  it('passes everything when nothing is wrong, and counts connections', async () => {
    const state = await client();
    state.socket.write('hello');
    await until(() => state.received === 're:hello');
    expect([proxy.accepted, proxy.open]).toEqual([1, 1]);
    state.socket.destroy();
    await until(() => proxy.open === 0);
  });

  it('carries a large reply whole to a slow reader after the server has ended', async () => {
    const size = 20_000_000;
    server.removeAllListeners('connection');
    server.on('connection', (socket) => socket.end(Buffer.alloc(size)));
    const socket = connect(proxy.port, '127.0.0.1');
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      socket.pause();
      setImmediate(() => socket.resume());
    });
    await once(socket, 'end');
    expect(bytes).toBe(size);
    socket.destroy();
  });

  it('delays what passes and keeps its order when the delay ends', async () => {
    const state = await client();
    await proxy.set({ delayMs: 80 });
    const sentAt = performance.now();
    state.socket.write('1');
    await sleep(20);
    await proxy.set('none');
    state.socket.write('2');
    await until(() => state.received.length >= 5);
    expect(performance.now() - sentAt).toBeGreaterThanOrEqual(75);
    expect(heard.join('')).toBe('12');
  });

  it('loses replies while requests arrive, and cuts the stream that has the hole when healed', async () => {
    const state = await client();
    await proxy.set('drop replies');
    state.socket.write('pay');
    await until(() => heard.join('') === 'pay');
    await sleep(50);
    expect(state.received).toBe('');
    await proxy.set('none');
    await until(() => state.ending === 'ECONNRESET');
  });

  it.each(['drop requests', 'blackhole'] as const)('lets nothing reach the server: %s', async (fault) => {
    const state = await client();
    await proxy.set(fault);
    state.socket.write('pay');
    await sleep(50);
    expect(heard).toEqual([]);
    expect(state.ending).toBe('');
  });

  it('resets open connections and new ones', async () => {
    const open = await client();
    await proxy.set('reset');
    await until(() => open.ending === 'ECONNRESET');
    const late = await client();
    await until(() => late.ending === 'ECONNRESET');
  });

  it('refuses connections, then serves again on the same port', async () => {
    await proxy.set('refuse');
    const refused = await client();
    await until(() => refused.ending === 'ECONNREFUSED');
    await proxy.set('none');
    const state = await client();
    state.socket.write('back');
    await until(() => state.received === 're:back');
  });

  it('cuts a reply after exactly so many bytes', async () => {
    const state = await client();
    await proxy.set({ cutAfterBytes: 4 });
    state.socket.write('half a frame');
    await until(() => state.ending === 'ECONNRESET');
    expect(state.received).toBe('re:h');
  });
});
