import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { MalformedRequest, parseJson } from '@marimo/contracts';
import { closeAll, gatewayTo, raw, until, upstream } from '../test/gateway-under-test.ts';

const clients: Socket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await closeAll();
});

/** Many connections that begin with these words, or with what the client of that number says. */
function threeHundred(port: number, words: string | ((client: number) => string)) {
  let open = 0;
  const all = Array.from({ length: 300 }, (_, client) => {
    const socket = connect(port, '127.0.0.1');
    open += 1;
    socket
      .on('error', () => {})
      .on('close', () => {
        open -= 1;
      });
    socket.write(typeof words === 'string' ? words : words(client));
    return socket;
  });
  clients.push(...all);
  return { open: () => open, all };
}

// Hundreds of clients share the processor with whatever else it does.
jest.setTimeout(180_000);
const patience = (seen: () => unknown) => ({ giveUpAfterMs: 170_000, seen });

const good = 'GET /api/v1/stock/open HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

describe('three hundred deliberately slow clients', () => {
  it('sending headers (slowloris, CVE-2018-12122) are disconnected while other requests succeed', async () => {
    const stock = await upstream((_, res) => res.end('answer'));
    const gateway = await gatewayTo([stock.instance], { frontLimits: { headMs: 1_000 } });
    const slow = threeHundred(gateway.port, 'GET /api/v1/stock/open HTTP/1.1\r\nHost: a\r\nX-A: ');
    for (const socket of slow.all) socket.resume();
    await until(async () => (await gateway.connections()) >= 300 || slow.open() < 300);
    expect((await raw(gateway.port, good)).status).toBe(200);
    await until(() => slow.open() === 0, patience(slow.open));
    expect(stock.requests).toHaveLength(1);
  });

  it('sending bodies are refused, hold no connection to a service, and other requests succeed', async () => {
    const stock = await upstream((_, res) => res.end('answer'));
    const gateway = await gatewayTo([stock.instance]);
    const words = 'POST /api/v1/stock/hurried HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{';
    const slow = threeHundred(gateway.port, words);
    let refused = 0;
    for (const socket of slow.all)
      socket.on('data', (text) => (refused += String(text).startsWith('HTTP/1.1 504 ') ? 1 : 0));
    await until(async () => (await gateway.connections()) >= 300);
    expect((await raw(gateway.port, good)).status).toBe(200);
    expect(stock.sockets.size).toBeLessThanOrEqual(1);
    await until(
      () => refused === 300,
      patience(() => refused),
    );
    await until(() => slow.open() === 0, patience(slow.open));
    expect(stock.requests).toHaveLength(1);
  });

  it('reading replies are disconnected, and release the services', async () => {
    const chunk = Buffer.alloc(65_536);
    const cutOff = new Set<string>();
    const stock = await upstream((req, res) => {
      const client = req.url?.split('?endless=')[1];
      if (client === undefined) return void res.end('answer');
      res.on('close', () => {
        cutOff.add(client);
        slow.all[Number(client)]?.destroy(); // megabytes wait for it in the system, more than it has for all
      });
      const pour = () => {
        while (!res.destroyed && res.write(chunk));
        if (!res.destroyed) res.once('drain', pour);
      };
      pour();
    });
    const gateway = await gatewayTo([stock.instance], { frontLimits: { stallMs: 300 } });
    const endless = (client: number) =>
      `GET /api/v1/stock/patient?endless=${client} HTTP/1.1\r\nHost: a\r\n\r\n`;
    const slow = threeHundred(gateway.port, endless);
    for (const socket of slow.all) socket.pause();
    await until(
      () => cutOff.size === 300,
      patience(() => cutOff.size),
    );
    const measured = () => gateway.measured('gateway_client_aborts_total', { phase: 'body' });
    await until(async () => (await measured()) === 300, { seen: measured });
    expect((await raw(gateway.port, good)).status).toBe(200); // they held every connection to the service
  });

  it('reading short replies are disconnected too', async () => {
    const stock = await upstream((_, res) => res.end(Buffer.alloc(15_000)));
    const gateway = await gatewayTo([stock.instance], { frontLimits: { stallMs: 300 } });
    const client = connect(gateway.port, '127.0.0.1');
    clients.push(client);
    client.on('error', () => {}).pause();
    client.write('GET /api/v1/stock/open HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(4_000)); // 60 MB: more than kernels buffer
    await until(() => stock.requests.length > 0);
    await until(
      async () => (await gateway.connections()) === 0,
      patience(() => stock.requests.length),
    );
    expect(await gateway.measured('gateway_client_aborts_total', { phase: 'body' })).toBeGreaterThan(0);
  });
});

describe('a body that attacks its parser', () => {
  const answers = async () => {
    const stock = await upstream((req, res) => void answer(req, res));
    const answer = async (req: IncomingMessage, res: ServerResponse) => {
      let text = '';
      for await (const part of req) text += part;
      try {
        parseJson(text);
        res.end(text);
      } catch (thrown) {
        res.writeHead(thrown instanceof MalformedRequest ? 400 : 500).end();
      }
    };
    const gateway = await gatewayTo([stock.instance]);
    return { stock, gateway };
  };

  it.each([
    ['33 levels of arrays', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['100,000 levels of objects', '{"a":'.repeat(100_000)],
    ['a prototype (CVE-2019-10744)', '{"__proto__":{"admin":true}}'],
    ['a prototype behind an escape', '{"\\u005f_proto__":{"admin":true}}'],
    ['a constructor', '{"constructor":{"prototype":{"admin":true}}}'],
    ['a field that is given twice', '{"amount":1,"amount":2}'],
    ['a NUL', '{"a":"\\u0000"}'],
  ])("is forwarded unread, and refused by the service's kit: %s", async (_, body) => {
    const { gateway } = await answers();
    const answer = await fetch(`${gateway.url}/api/v1/stock/open`, { method: 'POST', body });
    expect(answer.status).toBe(400);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('is harmless in a query, which is not parsed to an object here', async () => {
    const { stock, gateway } = await answers();
    const query = '?__proto__[admin]=true&constructor.prototype.admin=true&a=1&a=2';
    await fetch(`${gateway.url}/api/v1/stock/open${query}`, { method: 'POST', body: '1' });
    expect(stock.requests[0]!.url).toBe(`/api/v1/stock/open${query}`);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});
