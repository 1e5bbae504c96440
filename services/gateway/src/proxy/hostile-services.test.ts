import { createServer, type Socket } from 'node:net';
import { closeAll, gatewayTo, instanceAt, listening, raw } from '../../test/gateway-under-test.ts';

const servers: { close(): void }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await closeAll();
});

/** A service that answers each request on its connections with these bytes. */
async function saying(...answers: string[]) {
  let asked = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => void socket.write(answers[Math.min(asked++, answers.length - 1)] as string));
  });
  servers.push({
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  const port = await listening(server as Parameters<typeof listening>[0]);
  return gatewayTo([instanceAt(port)]);
}

const ok = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Posts are sent once, so that each answer is seen. */
async function post({ url }: { url: string }): Promise<[number, string]> {
  const answer = await fetch(`${url}/api/v1/stock/open`, { method: 'POST', body: 'x' });
  return [answer.status, await answer.text().catch(() => 'broken')];
}

describe('a malfunctioning service', () => {
  it.each([
    ['that answers twice', ok('first') + ok('poison')],
    [
      'whose answer is longer than it says',
      `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst${ok('poison')}`,
    ],
  ])("%s does not affect the next client's reply", async (_, twofold) => {
    const gateway = await saying(twofold, ok('second'));
    const [status, text] = await post(gateway);
    if (status === 200) expect(['first', 'broken']).toContain(text);
    expect(JSON.stringify([text, await post(gateway), await post(gateway)])).not.toMatch(/poison/);
  });

  it.each([
    ['garbage', '\x16\x03\x01\x02\x00 garbage\r\n\r\n'],
    ['headers without end', `HTTP/1.1 200 OK\r\n${`X-A: ${'a'.repeat(1_000)}\r\n`.repeat(40)}\r\n`],
    ['a bare line feed in a header', 'HTTP/1.1 200 OK\r\nX-A: a\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n'],
    ['a NUL in a header', 'HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'an upgrade nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
    ],
  ])('that says %s gives a 502 problem', async (_, answer) => {
    const [status, text] = await post(await saying(answer));
    expect(status).toBe(502);
    expect(text).toMatch(/platform.bad-upstream/);
  });

  it('that sends a thousand 1xx replies causes none at the client', async () => {
    const gateway = await saying(
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(1_000) + ok('answer'),
    );
    expect(await post(gateway)).toEqual([200, 'answer']);
  });

  it('may name a file in Cyrillic: the bytes are kept', async () => {
    const name = Buffer.from('attachment; filename="отчёт.pdf"').toString('latin1');
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n';
    const gateway = await saying(`${head}Content-Disposition: attachment; filename="отчёт.pdf"\r\n\r\nhi`);
    const answer = await raw(gateway.port, 'GET /api/v1/stock/open HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(answer.text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(answer.text).toContain(`\r\ncontent-disposition: ${name}\r\n`);
    expect(answer.text).toContain('x-marimo-attempts: 1');
  });

  it('with malformed chunks aborts the reply, and never ends it cleanly', async () => {
    const gateway = await saying('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n');
    expect(await post(gateway)).toEqual([200, 'broken']);
  });
});
