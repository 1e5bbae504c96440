import { endpoint, Forbidden } from '@marimo/contracts';
import supertest from 'supertest';
import { z } from 'zod';
import { type KitUnderTest, kitUnderTest } from '../../test/kit-under-test.ts';
import { handle, reply } from '../index.ts';

const old = endpoint({
  method: 'GET',
  path: '/api/v1/test/things/{id}',
  summary: '',
  access: 'public',
  params: z.strictObject({ id: z.string() }),
  deprecated: { since: '2026-03-01', sunset: '2026-12-31', successor: '/api/v2/test/things/{id}' },
  replies: { 200: z.any() },
});
const successor = endpoint({
  method: 'GET',
  path: '/api/v2/test/things/{id}',
  summary: '',
  access: 'public',
  params: z.strictObject({ id: z.string() }),
  replies: { 200: z.any() },
});

let kit: KitUnderTest;
beforeAll(async () => {
  const routes = [
    handle(old, async ({ params }) => {
      if (params.id === 'secret') throw new Forbidden({ permission: null });
      return reply(200, { version: 1 });
    }),
    handle(successor, async () => reply(200, { version: 2 })),
  ];
  kit = await kitUnderTest(routes);
});
afterAll(() => kit.stop());
const get = (path: string) => supertest(kit.url).get(path);

describe('an endpoint that will go', () => {
  it.each([
    ['/api/v1/test/things/7', 200],
    ['/api/v1/test/things/secret', 403],
  ])('says so with every answer, when, and what takes its place: %s', async (path, status) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      deprecation: '@1772323200', // RFC 9745: seconds since the epoch, here 2026-03-01
      sunset: 'Thu, 31 Dec 2026 00:00:00 GMT',
      link: '</api/v2/test/things/{id}>; rel="successor-version"',
    });
  });

  it('stands beside its successor, of which nothing of the kind is said', async () => {
    const answer = await get('/api/v2/test/things/7');
    expect(answer.body).toEqual({ version: 2 });
    expect(Object.keys(answer.headers)).not.toEqual(expect.arrayContaining(['deprecation']));
  });

  it('is counted, so that who removes it knows whether anybody would notice', async () => {
    const text = await kit.metricsText();
    const line = text.split('\n').find((one) => one.startsWith('http_deprecated_requests_total{'));
    expect(line).toMatch(/route="\/api\/v1\/test\/things\/\{id\}".* 2$/);
  });
});
