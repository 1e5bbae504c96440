import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { endpoint } from '@marimo/contracts';
import { createLog } from '@marimo/observability';
import { z } from 'zod';
import { testCertificate } from '../../test/certificates.ts';
import { closeAll, gatewayTo, stock, upstream } from '../../test/gateway-under-test.ts';
import { readCertificate } from '../front/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'marimo-http2-'));
const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
let session: ClientHttp2Session | undefined;

beforeAll(() => {
  const { cert, key } = testCertificate();
  writeFileSync(files.certFile, cert);
  writeFileSync(files.keyFile, key);
});
afterEach(async () => {
  session?.destroy();
  await closeAll();
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Got {
  readonly headers: IncomingHttpHeaders & { readonly ':status'?: number | undefined };
  readonly body: Buffer;
}

function get(path: string, more: Record<string, string> = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const stream = session!.request({ ':path': path, ...more });
    const chunks: Buffer[] = [];
    let headers: Got['headers'] = {};
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve({ headers, body: Buffer.concat(chunks) }));
    stream.on('error', reject);
  });
}

const cache = { freshMs: 10_000, staleIfErrorMs: 0 };
const replies = { 200: z.unknown() };
const contracts = {
  stock: [
    ...stock,
    endpoint({ method: 'GET', path: '/api/v1/stock/offers', summary: '', access: 'public', cache, replies }),
  ],
};
const long = JSON.stringify({ items: Array.from({ length: 2_000 }, (_, place) => `item ${place}`) });

it('the same policies apply over HTTP/2: cache, compression, limits, protection, HSTS', async () => {
  const service = await upstream((_, res) => {
    res.setHeader('content-type', 'application/json').setHeader('content-encoding', 'br');
    res.end(brotliCompressSync(long));
  });
  const certificate = readCertificate({
    ...files,
    production: false,
    log: createLog({ service: 'gateway', write: () => {} }),
  });
  const { url } = await gatewayTo([service.instance], {
    certificate,
    contracts,
    env: { RATE_LIMIT_CALLER: '1/min,burst=4' },
  });
  session = connect(url, { rejectUnauthorized: false });
  const asked = { 'accept-encoding': 'br' };

  const first = await get('/api/v1/stock/offers', asked);
  expect(first.headers).toMatchObject({ ':status': 200, 'x-marimo-cache': 'miss', 'content-encoding': 'br' });
  const second = await get('/api/v1/stock/offers', asked);
  expect(second.headers).toMatchObject({ ':status': 200, 'x-marimo-cache': 'hit', 'content-encoding': 'br' });
  const alone = await get('/api/v1/stock/open', asked);
  for (const { body } of [first, second, alone]) expect(brotliDecompressSync(body).toString()).toBe(long);
  expect(service.requests).toHaveLength(2);
  const known = await get('/api/v1/stock/offers', {
    ...asked,
    'if-none-match': String(second.headers['etag']),
  });
  expect([known.headers[':status'], known.body.length]).toEqual([304, 0]);
  const refused = await get('/api/v1/stock/open');
  expect(refused.headers).toMatchObject({
    ':status': 429,
    'ratelimit-remaining': '0',
    'x-frame-options': 'DENY',
  });

  const page = await get('/docs/assets/swagger-ui.css', asked);
  expect(brotliDecompressSync(page.body).toString()).toContain('.swagger-ui');
  for (const { headers } of [first, known, refused, page])
    expect(headers['strict-transport-security']).toBe('max-age=31536000');
});
