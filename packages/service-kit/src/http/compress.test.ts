import { once } from 'node:events';
import { request } from 'node:http';
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib';
import { endpoint } from '@marimo/contracts';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { type KitUnderTest, kitUnderTest } from '../../test/kit-under-test.ts';
import { handle, reply } from '../index.ts';

const replies = { 200: z.any() };
const lines = Array.from({ length: 2_000 }, (_, place) => `line ${place}`);
const long = JSON.stringify(lines);
const list = endpoint({
  method: 'GET',
  path: '/api/v1/test/list',
  summary: '',
  access: 'public',
  query: z.record(z.string(), z.string()),
  replies,
});
const secrets = endpoint({
  method: 'POST',
  path: '/api/v1/test/secrets',
  summary: '',
  access: 'public',
  repeat: 'natural',
  replies,
});
/** Pages that are no JSON: one whose type the test chooses, and one that is written in pieces. */
const pages: RequestHandler = (req, res, next) => {
  if (req.path === '/page') res.type(req.query['type'] as string).end('x'.repeat(40_000));
  else if (req.path === '/pieces') {
    res.type('text').write('one');
    steps.push(() => res.end('two'));
  } else next();
};
const steps: (() => void)[] = [];

let kit: KitUnderTest;
beforeAll(async () => {
  const routes = [
    handle(list, async ({ query }) => reply(200, lines, query)),
    handle(secrets, async () => reply(200, lines)),
  ];
  kit = await kitUnderTest(routes, { pages });
});
afterAll(() => kit.stop());

/** The reply as it is on the wire: fetch would decompress it. */
async function get(path: string, acceptEncoding: string | undefined, method = 'GET') {
  const headers = acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding };
  const asked = request(kit.url + path, { method, headers }).end();
  const [answer] = await once(asked, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return { headers: answer.headers, body: Buffer.concat(chunks) };
}

describe('a long reply', () => {
  it.each([
    ['br', 'gzip, br', brotliDecompressSync],
    ['gzip', 'gzip;q=0.5, br;q=0', gunzipSync],
  ])('is compressed with %s for a client that accepts %s', async (coding, accepted, decompress) => {
    const { headers, body } = await get(`${list.path}?vary=accept&etag="7"`, accepted);
    expect(headers).toMatchObject({
      'content-encoding': coding,
      vary: 'accept, Accept-Encoding',
      etag: '"7"',
    });
    expect(headers['content-length']).toBeUndefined();
    expect(decompress(body).toString()).toBe(long);
    expect(body.length).toBeLessThan(long.length / 2);
  });

  it.each([
    ['the client accepts no coding', list.path, undefined],
    ['the client wants it plain', list.path, 'identity'],
    ['it must not be transformed', `${list.path}?cache-control=no-transform`, 'br'],
    ['it sets a cookie', `${list.path}?set-cookie=a`, 'br'],
    ['it is an image', '/page?type=image/png', 'br'],
    ['it is an event stream', '/page?type=text/event-stream', 'br'],
  ])('is sent as it is when %s', async (_, path, accepted) => {
    const { headers, body } = await get(path, accepted);
    expect(headers['content-encoding']).toBeUndefined();
    expect(body.length).toBe(path.startsWith('/page') ? 40_000 : long.length);
  });

  it('is never compressed where it may hold a secret, which its length would give away', async () => {
    const { headers, body } = await get(secrets.path, 'br', 'POST');
    expect(headers['content-encoding']).toBeUndefined();
    expect(body.toString()).toBe(long);
  });

  it('is compressed piece by piece as it is written', async () => {
    const asked = request(`${kit.url}/pieces`, { headers: { 'accept-encoding': 'gzip' } }).end();
    const [answer] = await once(asked, 'response');
    expect(answer.headers['content-encoding']).toBe('gzip');
    const plain = answer.pipe(createGunzip());
    expect(String((await once(plain, 'data'))[0])).toBe('one');
    for (const step of steps) step();
    expect(String((await once(plain, 'data'))[0])).toBe('two');
  });
});

it('sends a short reply as it is', async () => {
  const { headers } = await get('/health', 'br');
  expect(headers['content-encoding']).toBeUndefined();
});
