import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { listen } from './listen.ts';

/** Asks from a thread of its own, since the test's own stands still meanwhile. */
const client = `
  const { parentPort, workerData } = require('node:worker_threads');
  const socket = require('node:net').connect(workerData.port, '127.0.0.1');
  let heard = '';
  socket.on('data', (chunk) => (heard += chunk));
  socket.on('error', ({ code }) => (heard += code));
  socket.on('close', () => parentPort.postMessage(heard));
  socket.write(workerData.request);
`;
const request = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi';

describe('closing a listener', () => {
  it('answers a request that came on a new connection just before, however busy the process was', async () => {
    const server = createServer((req, res) => {
      req.resume();
      res.setHeader('connection', 'close').end('done');
    });
    const listening = await listen(server, 0, '127.0.0.1');
    const { port } = listening.address;
    const worker = new Worker(client, { eval: true, workerData: { port, request } });
    await once(worker, 'online');
    stand(400); // it connects and sends meanwhile, and nobody has accepted it yet
    const [[heard]] = await Promise.all([once(worker, 'message'), listening.close(2_000)]);
    expect(heard).toMatch(/^HTTP\/1.1 200 OK[\s\S]*done$/);
    await worker.terminate();
  });

  it('waits for the request of a connection that was just opened, and not for one that says nothing', async () => {
    const server = createServer((req, res) => {
      req.resume();
      res.setHeader('connection', 'close').end('done');
    });
    const listening = await listen(server, 0, '127.0.0.1');
    const { port } = listening.address;
    const [client, silent] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    let heard = '';
    client.on('data', (chunk) => (heard += chunk)).on('error', ({ message }) => (heard += message));
    silent.on('error', () => {});
    await Promise.all([once(client, 'connect'), once(silent, 'connect')]);
    const startedAt = performance.now();
    const closed = listening.close(10_000);
    setTimeout(() => client.write(request), 300); // its process was busy
    await closed;
    expect(heard).toMatch(/^HTTP\/1.1 200 OK[\s\S]*done$/);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

function stand(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
