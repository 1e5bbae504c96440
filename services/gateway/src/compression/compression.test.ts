import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { IncomingMessage, request, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib';
import { type AnyEndpoint, endpoint } from '@marimo/contracts';
import { z } from 'zod';
import { closeAll, gatewayTo, type Options, stock, until, upstream } from '../../test/gateway-under-test.ts';
import { Passage } from '../passage.ts';
import { codingFor } from './codings.ts';
import { encodeAnswer } from './encode-answer.ts';

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
const floodBytes = 100_000_000;
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

  /** Sends 100 MB of text that hardly shrinks, as fast as it is taken. */
  async function flood(options: Options = {}) {
    let sent = 0;
    const service = await upstream((_, res) => {
      res.writeHead(200, { ...json, 'content-length': String(floodBytes) });
      const more = () => {
        while (sent < floodBytes && !res.writableNeedDrain) {
          sent += 50_000;
          res.write(randomBytes(25_000).toString('hex'));
        }
        if (sent === floodBytes) res.end();
        else res.once('drain', more);
      };
      more();
    });
    const gateway = await gatewayTo([service.instance], { contracts, ...options });
    const asked = request(`${gateway.url}/api/v1/stock/open`, {
      headers: { 'accept-encoding': 'gzip' },
    }).end();
    const [answer] = await once(asked, 'response');
    return { gateway, asked, answer, sent: () => sent };
  }

  it('waits for a reader that takes nothing, and does not fill the memory meanwhile', async () => {
    const { answer, sent } = await flood();
    let before = -1;
    let still = 0;
    await until(() => {
      still = sent() === before ? still + 1 : 0;
      before = sent();
      return still === 50;
    });
    expect(sent()).toBeLessThan(floodBytes / 2); // what lies in sockets on the way
    let total = 0;
    for await (const chunk of answer.pipe(createGunzip())) total += chunk.length;
    expect(total).toBe(floodBytes);
  });

  it('is given up for a reader that takes nothing for too long', async () => {
    const { gateway, asked } = await flood({ frontLimits: { stallMs: 100 } });
    asked.on('error', () => undefined);
    await until(async () => (await gateway.connections()) === 0);
  });
});

it('what only the encoder holds is given up as well for a reader that takes nothing for too long', async () => {
  const req = new IncomingMessage(new Socket());
  const res = new ServerResponse(req); // of no socket: whoever should read takes nothing
  encodeAnswer(new Passage(req, res, 'one', false, 100), 'gzip');
  res.writeHead(200, json);
  res.write(randomBytes(150_000).toString('hex')); // the service says no more, and does not end
  await until(() => res.destroyed);
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
