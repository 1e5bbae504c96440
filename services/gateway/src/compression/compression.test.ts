import { once } from 'node:events';
import { request } from 'node:http';
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib';
import { type AnyEndpoint, endpoint } from '@marimo/contracts';
import { z } from 'zod';
import { closeAll, gatewayTo, stock, upstream } from '../../test/gateway-under-test.ts';
import { codingFor } from './codings.ts';

afterEach(closeAll);

const replies = { 200: z.unknown() };
const contracts: Readonly<Record<string, readonly AnyEndpoint[]>> = {
  stock: [
    ...stock,
    endpoint({
      method: 'POST',
      path: '/api/v1/stock/token',
      summary: '',
      access: 'public',
      repeat: 'natural',
      replies,
    }),
  ],
};
const long = JSON.stringify({ items: Array.from({ length: 2_000 }, (_, place) => `item ${place}`) });

interface Got {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}

/** As it comes: fetch would decompress it. */
async function get(url: string, acceptEncoding: string | undefined, method = 'GET'): Promise<Got> {
  const headers = acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding };
  const asked = request(url, { method, headers }).end();
  const [answer] = await once(asked, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) };
}

async function answering(headers: Record<string, string>, body: string | Buffer = long) {
  const service = await upstream((_, res) => {
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    res.setHeader('content-length', Buffer.byteLength(body)).end(body);
  });
  return gatewayTo([service.instance], { contracts });
}

const json = { 'content-type': 'application/json; charset=utf-8' };

describe('a long answer that nobody compressed', () => {
  it('is compressed for who can read that', async () => {
    const { url } = await answering({ ...json, etag: '"7"', vary: 'accept' });
    const br = await get(`${url}/api/v1/stock/open`, 'gzip, br');
    expect(br.headers).toMatchObject({
      'content-encoding': 'br',
      etag: 'W/"7"',
      vary: 'accept, accept-encoding',
    });
    expect(br.headers['content-length']).toBeUndefined();
    expect(brotliDecompressSync(br.body).toString()).toBe(long);
    expect(br.body.length).toBeLessThan(long.length / 2);
    const gzip = await get(`${url}/api/v1/stock/open`, 'gzip;q=0.5, br;q=0');
    expect(gzip.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(gzip.body).toString()).toBe(long);
  });

  it.each([
    ['nobody asked for it', json, long, undefined],
    ['the client wants it plain', json, long, 'identity'],
    ['it is short', json, '{}', 'br'],
    ['it is no text', { 'content-type': 'image/png' }, long, 'br'],
    ['it is an event stream', { 'content-type': 'text/event-stream' }, long, 'br'],
    ['it says it must not be changed', { ...json, 'cache-control': 'no-transform' }, long, 'br'],
    ['it sets a cookie', { ...json, 'set-cookie': 'a=1' }, long, 'br'],
  ])('stays as it is when %s', async (_, headers, body, acceptEncoding) => {
    const { url } = await answering(headers as Record<string, string>, body);
    const got = await get(`${url}/api/v1/stock/open`, acceptEncoding);
    expect(got.headers['content-encoding']).toBeUndefined();
    expect(got.headers['content-length']).toBe(String(body.length));
    expect(got.body.toString()).toBe(body);
  });

  it('is left alone where the service has done it', async () => {
    const { url } = await answering({ ...json, 'content-encoding': 'deflate' }, long);
    expect((await get(`${url}/api/v1/stock/open`, 'br, deflate')).headers['content-encoding']).toBe(
      'deflate',
    );
  });

  it('is never compressed where it may hold a secret: its length would tell it', async () => {
    const { url } = await answering(json);
    expect(
      (await get(`${url}/api/v1/stock/token`, 'br', 'POST')).headers['content-encoding'],
    ).toBeUndefined();
  });

  it('comes piece by piece as the service sends it', async () => {
    const steps: (() => void)[] = [];
    const service = await upstream((_, res) => {
      res.writeHead(200, { 'content-type': 'application/x-ndjson' }).write('{"line":1}\n');
      steps.push(() => res.end('{"line":2}\n'));
    });
    const { url } = await gatewayTo([service.instance], { contracts });
    const asked = request(`${url}/api/v1/stock/open`, { headers: { 'accept-encoding': 'gzip' } }).end();
    const [answer] = await once(asked, 'response');
    expect(answer.headers['content-encoding']).toBe('gzip');
    const plain = answer.pipe(createGunzip());
    expect(String((await once(plain, 'data'))[0])).toBe('{"line":1}\n');
    steps[0]!();
    expect(String((await once(plain, 'data'))[0])).toBe('{"line":2}\n');
  });

  it('is cut off when the service breaks off, and never looks whole', async () => {
    const service = await upstream((_, res) => {
      res.writeHead(200, { ...json, 'content-length': '1000000' }).write('x'.repeat(400_000));
      setTimeout(() => res.destroy(), 50);
    });
    const { url } = await gatewayTo([service.instance], { contracts });
    await expect(get(`${url}/api/v1/stock/open`, 'br')).rejects.toThrow();
  });

  it('does not fill the memory when its reader is slow', async () => {
    const size = 30_000_000;
    const service = await upstream((_, res) => {
      res.writeHead(200, { ...json, 'content-length': String(size) });
      res.end(Buffer.from(Array.from({ length: size / 10 }, (__, place) => `${1e9 + place}`).join('')));
    });
    const { url } = await gatewayTo([service.instance], { contracts });
    const asked = request(`${url}/api/v1/stock/open`, { headers: { 'accept-encoding': 'gzip' } }).end();
    const [answer] = await once(asked, 'response');
    let total = 0;
    for await (const chunk of answer.pipe(createGunzip())) total += chunk.length;
    expect(total).toBe(size);
  });
});

it.each([
  [undefined, 'identity'],
  ['', 'identity'],
  ['gzip, deflate, br', 'br'],
  ['GZIP', 'gzip'],
  ['br;q=0, gzip;q=0.1', 'gzip'],
  ['*', 'br'],
  ['*;q=0', 'identity'],
  ['br;q=0, *', 'gzip'],
  ['deflate', 'identity'],
  ['br;q=nonsense', 'identity'],
])('takes of Accept-Encoding %j the coding %s', (acceptEncoding, expected) => {
  expect(codingFor(acceptEncoding)).toBe(expected);
});
