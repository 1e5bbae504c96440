import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { createLog } from '@marimo/observability';
import { WebSocket, WebSocketServer } from 'ws';
import { type TestPair, testCertificate } from '../../test/certificates.ts';
import { closeAll, gatewayTo, type Options, raw, until, upstream } from '../../test/gateway-under-test.ts';
import { type CertificateOptions, readCertificate } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'marimo-tls-'));
const certFile = join(folder, 'cert.pem');
const keyFile = join(folder, 'key.pem');
const logged: string[] = [];
const log = createLog({ service: 'gateway', write: (line) => logged.push(line) });
let pair: TestPair;

function write({ cert, key }: Partial<TestPair>): void {
  if (cert !== undefined) writeFileSync(certFile, cert);
  if (key !== undefined) writeFileSync(keyFile, key, { mode: 0o600 });
}
const read = (options: Partial<CertificateOptions> = {}) =>
  readCertificate({ certFile, keyFile, production: true, log, lookEveryMs: 5, ...options });

beforeEach(() => {
  pair = testCertificate();
  write(pair);
  chmodSync(keyFile, 0o600);
  logged.length = 0;
});
afterEach(closeAll);
afterAll(() => rmSync(folder, { recursive: true }));

async function secure(options: Options = {}) {
  const stock = await upstream((req, res) => req.resume().on('end', () => res.end('answer')));
  const gateway = await gatewayTo([stock.instance], { certificate: read(), ...options });
  return { stock, gateway };
}

/** Resolves with the connection, or with why there is none. */
function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket | string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function answerOver(socket: TLSSocket, path = '/api/v1/stock/open'): Promise<string> {
  const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return answer;
}

describe('a gateway with a certificate', () => {
  it('serves TLS, and tells services that the request came over https', async () => {
    const { stock, gateway } = await secure();
    const socket = (await handshake(gateway.port)) as TLSSocket;
    expect(await answerOver(socket)).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*strict-transport-security/);
    expect(stock.requests[0]!.headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '127.0.0.1',
    });
    socket.destroy();
  });

  it.each([
    [['h2', 'http/1.1'], 'h2'],
    [['http/1.1'], 'http/1.1'],
    [undefined, false],
  ])('offers HTTP/2 and HTTP/1.1: from %j it chooses %s', async (ALPNProtocols, chosen) => {
    const { gateway } = await secure();
    const socket = (await handshake(gateway.port, ALPNProtocols ? { ALPNProtocols } : {})) as TLSSocket;
    expect(socket.alpnProtocol).toBe(chosen);
    socket.destroy();
  });

  it.each([
    ['TLS 1.1', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' }],
    [
      'a key exchange that is not forward-secret',
      { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:AES256-SHA' },
    ],
    ['another protocol inside', { ALPNProtocols: ['ftp'] }],
  ] satisfies [string, ConnectionOptions][])('refuses %s', async (_, options) => {
    write(testCertificate({ rsa: true })); // with the other kind nobody could exchange a key without secrecy
    const { gateway } = await secure();
    expect(await handshake(gateway.port, options)).toMatch(/^(ERR_SSL|ECONNRESET)/);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s with forward-secret ciphers', async (version) => {
    const { gateway } = await secure();
    const socket = (await handshake(gateway.port, { minVersion: version, maxVersion: version })) as TLSSocket;
    expect(socket.getProtocol()).toBe(version);
    expect(socket.getCipher().name).toMatch(/^(ECDHE-|TLS_)/);
    socket.destroy();
  });

  it('answers plain HTTP with a problem, not with a redirect, and calls no service', async () => {
    const { stock, gateway } = await secure();
    const answer = await raw(gateway.port, 'GET /api/v1/stock/open HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/application\/problem\+json[\s\S]*this port speaks TLS: use https/);
    expect(answer.text).not.toMatch(/location:/i);
    expect(answer.ended).toBe('closed');
    expect(stock.requests).toEqual([]);
  });

  it('disconnects a client that sends nothing or does not finish the handshake', async () => {
    const { gateway } = await secure({ frontLimits: { headMs: 100 } });
    const silent = connectTcp(gateway.port, '127.0.0.1');
    const half = connectTcp(gateway.port, '127.0.0.1');
    half.on('error', () => {}).write(Buffer.of(0x16, 3, 1, 2, 0));
    await Promise.all(
      [silent, half].map((socket) => new Promise((resolve) => socket.resume().once('close', resolve))),
    );
    const good = (await handshake(gateway.port)) as TLSSocket;
    expect(await answerOver(good)).toMatch(/200 OK/);
    good.destroy();
  });

  it('disconnects a client that never finishes the request head inside TLS', async () => {
    const { stock, gateway } = await secure({ frontLimits: { headMs: 200 } });
    const socket = (await handshake(gateway.port)) as TLSSocket;
    const over = new Promise((resolve) => socket.resume().once('close', resolve));
    socket.on('error', () => {}).write('GET /api/v1/stock/open HTTP/1.1\r\nHost: a\r\nX-A: ');
    await over;
    expect(stock.requests).toEqual([]);
  });

  it('survives bytes that only begin like a handshake', async () => {
    const { gateway } = await secure();
    await raw(gateway.port, Buffer.concat([Buffer.of(0x16, 3, 1, 0, 50), Buffer.alloc(50, 7)]), {
      toTheEnd: true,
    });
    const socket = (await handshake(gateway.port)) as TLSSocket;
    expect(await answerOver(socket)).toMatch(/200 OK/);
    socket.destroy();
  });

  it('serves a renewed certificate to new connections, and keeps the old ones', async () => {
    const { gateway } = await secure();
    const before = (await handshake(gateway.port)) as TLSSocket;
    const { fingerprint256: first } = before.getPeerCertificate();
    write(testCertificate());
    await until(async () => {
      const socket = await handshake(gateway.port);
      if (typeof socket === 'string') return false;
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256 !== first;
    });
    expect(await answerOver(before)).toMatch(/200 OK/);
    before.destroy();
  });

  it('refuses renegotiation, also after the certificate was renewed', async () => {
    const { gateway } = await secure();
    const negotiatedAnew = async () => {
      const socket = (await handshake(gateway.port, { maxVersion: 'TLSv1.2' })) as TLSSocket;
      const { fingerprint256 } = socket.getPeerCertificate();
      const failure = await new Promise<Error | null>((resolve) => {
        socket.once('error', resolve);
        socket.renegotiate({ rejectUnauthorized: false }, resolve);
      });
      socket.destroy();
      return { fingerprint256, isRefused: failure !== null };
    };
    const first = await negotiatedAnew();
    expect(first.isRefused).toBe(true);
    write(testCertificate());
    let last = first;
    await until(async () => {
      last = await negotiatedAnew();
      return last.fingerprint256 !== first.fingerprint256;
    });
    expect(last.isRefused).toBe(true);
  });

  it('keeps its certificate while the new one is invalid, and reports it once', async () => {
    const { gateway } = await secure();
    write({ cert: testCertificate().cert }); // and the key not yet
    await until(() => logged.some((line) => line.includes('cannot be served')));
    const socket = (await handshake(gateway.port)) as TLSSocket;
    expect(await answerOver(socket)).toMatch(/200 OK/);
    socket.destroy();
    expect(logged.filter((line) => line.includes('cannot be served'))).toHaveLength(1);
    expect(logged.join('')).not.toContain('PRIVATE KEY');
  });

  it('finishes a request while draining, and then closes the connection', async () => {
    const stock = await upstream((_, res) => {
      res.write('half ');
      drainNow();
      finish = () => res.end('whole');
    });
    let finish = () => {};
    let drainNow = () => {};
    const gateway = await gatewayTo([stock.instance], { certificate: read() });
    drainNow = () => gateway.drain();
    const answer = await new Promise<string>((resolve, reject) => {
      const asked = httpsRequest({
        port: gateway.port,
        host: '127.0.0.1',
        path: '/api/v1/stock/open',
        rejectUnauthorized: false,
      });
      asked.on('error', reject).end();
      asked.on('response', (res) => {
        let text = '';
        res.on('data', (part) => {
          text += part;
          gateway.server.close();
          gateway.server.closeIdleConnections();
          finish();
        });
        res.on('end', () => resolve(text));
      });
    });
    expect(answer).toBe('half whole');
    await until(async () => {
      gateway.server.closeIdleConnections();
      return (await gateway.connections()) === 0;
    });
  });

  it('opens WebSockets over TLS, and closes them properly when draining', async () => {
    const stock = await upstream((_, res) => res.writeHead(426).end());
    const behind = new WebSocketServer({ noServer: true });
    stock.server.on('upgrade', (req, socket, head) => {
      stock.requests.push({ method: 'UPGRADE', url: req.url ?? '', headers: req.headers });
      behind.handleUpgrade(req, socket, head, (peer) =>
        peer.on('message', (data: Buffer) => peer.send(`${data.toString()}!`)),
      );
    });
    const sockets = [{ service: 'stock', path: '/api/v1/stock/live', bearer: true }];
    const gateway = await gatewayTo([stock.instance], { certificate: read(), sockets });
    const socket = new WebSocket(`wss://127.0.0.1:${gateway.port}/api/v1/stock/live`, {
      rejectUnauthorized: false,
      headers: { authorization: 'Bearer good-1', origin: `https://127.0.0.1:${gateway.port}` },
    });
    await new Promise((resolve) => socket.once('open', resolve));
    const heard = new Promise((resolve) =>
      socket.once('message', (data: Buffer) => resolve(data.toString())),
    );
    socket.send('hello');
    expect(await heard).toBe('hello!');
    expect(stock.requests[0]!.headers['x-forwarded-proto']).toBe('https');
    const over = new Promise((resolve) => socket.once('close', resolve));
    gateway.drain();
    expect(await over).toBe(1012);
    await until(async () => (await gateway.connections()) === 0);
  });

  it('serves its own pages over HTTP/2 as well', async () => {
    const { gateway } = await secure();
    const session = connectHttp2(`https://127.0.0.1:${gateway.port}`, { rejectUnauthorized: false });
    const stream = session.request({ ':path': '/health' });
    let text = '';
    stream.on('data', (part) => (text += part));
    const headers = await new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve));
    await new Promise((resolve) => stream.once('end', resolve));
    expect(headers).toMatchObject({ ':status': 200, 'x-content-type-options': 'nosniff' });
    expect(JSON.parse(text)).toMatchObject({ services: { stock: { instances: 1 } } });
    session.destroy();
    expect(await gateway.measured('http_requests_total', { route: '/health' })).toBe(1);
  });
});

describe('starting with a certificate', () => {
  const other = testCertificate();
  it.each([
    ['a certificate that is not there', () => rmSync(certFile), /TLS_CERT_FILE: .*cannot be read \(ENOENT\)/],
    ['a key that is not there', () => rmSync(keyFile), /TLS_KEY_FILE: .*cannot be read \(ENOENT\)/],
    [
      'a certificate that is none',
      () => write({ cert: 'nonsense' }),
      /TLS_CERT_FILE: .*no certificate in PEM/,
    ],
    ['a key that is none', () => write({ key: 'nonsense' }), /TLS_KEY_FILE: .*no private key in PEM/],
    ['the key of another certificate', () => write({ key: other.key }), /TLS_KEY_FILE: .*is not the key of/],
    [
      'an expired certificate',
      () => write(testCertificate({ until: '20240101' })),
      /TLS_CERT_FILE: it has expired/,
    ],
    [
      'one that is not valid yet',
      () => write(testCertificate({ from: '21000101' })),
      /TLS_CERT_FILE: it is not valid/,
    ],
    ['a key everybody can read', () => chmodSync(keyFile, 0o644), /TLS_KEY_FILE: everybody .* can read/],
  ])('is refused with %s, with the reason', (_, spoil, message) => {
    spoil();
    expect(() => read()).toThrow(message);
    expect(() => read()).toThrow(expect.objectContaining({ name: 'SettingsInvalid' }));
  });

  it('accepts a world-readable key outside production', () => {
    chmodSync(keyFile, 0o644);
    read({ production: false }).close();
  });

  it.each(['TLS_CERT_FILE', 'TLS_KEY_FILE'])('is refused with %s alone', async (name) => {
    await expect(gatewayTo([], { env: { [name]: '/somewhere' } })).rejects.toThrow(/needed beside/);
  });
});
