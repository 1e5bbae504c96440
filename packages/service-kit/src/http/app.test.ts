import { connect } from 'node:net';
import { type AnyEndpoint, endpoint, forServices } from '@marimo/contracts';
import { until } from '@marimo/testing/outside';
import supertest from 'supertest';
import {
  failing,
  findOrder,
  httpRoutes,
  lastSlow,
  pulse,
  slow,
  takeOrder,
  versioned,
  whoAmI,
} from '../../test/http-routes.ts';
import { type KitUnderTest, kitUnderTest, tenantId, userId } from '../../test/kit-under-test.ts';
import { rawRequest } from '../../test/raw-request.ts';
import { handle, reply } from '../index.ts';

let kit: KitUnderTest;
beforeAll(async () => {
  kit = await kitUnderTest(httpRoutes, { headersTimeoutMs: 300, requestTimeoutMs: 600 });
});
afterAll(() => kit.stop());

const client = () => supertest(kit.url);
const post = (body: string | object, token = 'admin') =>
  client()
    .post(takeOrder.path)
    .set('authorization', `Bearer ${token}`)
    .set('content-type', 'application/json')
    .send(typeof body === 'string' ? body : JSON.stringify(body));

describe('what is answered', () => {
  it('says 404 to an unknown route and 405 with Allow to an unknown method', async () => {
    const absent = await client().get('/api/v1/test/nothing');
    expect([absent.status, absent.body.code]).toEqual([404, 'platform.absent']);
    const method = await client().delete(takeOrder.path);
    expect([method.status, method.headers['allow']]).toEqual([405, 'POST']);
    const ofRead = await client().post(whoAmI.path);
    expect([ofRead.status, ofRead.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it('tells a refusal with its facts', async () => {
    const answer = await post({ quantity: 11 });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'test.out-of-stock', left: 10, detail: 'Only 10 left.' });
    expect(answer.body.requestId).toBe(answer.headers['x-request-id']);
  });

  it('says nothing about an unknown failure, but logs it', async () => {
    const answer = await client().get(failing.path);
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toMatch(/hunter2|SQL|Error|at /);
    expect(kit.lines.some((line) => JSON.stringify(line).includes('in SQL'))).toBe(true);
  });

  it.each(['/api/v1/test/versioned', '/api/v1/test/nothing', '/api/v1/test/failing', '/api/v1/test/me'])(
    'guards %s with security headers and keeps it out of caches',
    async (path) => {
      const { headers } = await client().get(path);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['x-powered-by']).toBeUndefined();
    },
  );

  it('keeps a request id that looks like one and replaces any other', async () => {
    const given = await client().get('/api/v1/test/versioned').set('x-request-id', 'order-12345');
    expect(given.headers['x-request-id']).toBe('order-12345');
    const odd = await client().get('/api/v1/test/versioned').set('x-request-id', '{"a": "<script>"}');
    expect(odd.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('answers 304 to who has this version, and 412 to who would change another', async () => {
    const path = versioned.path;
    expect((await client().get(path).set('if-none-match', '"7"')).status).toBe(304);
    expect((await client().get(path).set('if-none-match', '"5", W/"7"')).status).toBe(304);
    expect((await client().get(path).set('if-none-match', '"6"')).status).toBe(200);
    expect((await client().get(path).set('if-match', '"7"')).status).toBe(200);
    const stale = await client().get(path).set('if-match', '"6"');
    expect([stale.status, stale.body.etag]).toEqual([412, '"7"']);
  });

  it('tells who has changed something that it is changed, whatever version they say they have', async () => {
    for (const tag of ['"8"', '*']) {
      const changed = await client().put(versioned.path).set('if-none-match', tag);
      expect([changed.status, changed.body]).toEqual([200, { hello: 'again' }]);
    }
  });
});

describe('a path that fits two routes', () => {
  it.each([['first'], ['last']])('is answered by the one that names it, declared %s', async (place) => {
    const named = { ...whoAmI, path: '/api/v1/test/orders/mine' };
    const anyOf = handle({ ...findOrder, access: 'signed-in' }, async () => reply(200, 'any'));
    const mine = handle(named, async () => reply(200, 'mine'));
    const own = await kitUnderTest(place === 'first' ? [mine, anyOf] : [anyOf, mine]);
    try {
      const answer = await supertest(own.url).get(named.path).set('authorization', 'Bearer admin');
      expect(answer.body).toBe('mine');
    } finally {
      await own.stop();
    }
  });
});

describe('time', () => {
  it('lets the caller shorten the deadline; then the work is given up and 504 is answered', async () => {
    const answer = await client()
      .get(slow.path)
      .set('x-marimo-deadline', String(Date.now() + 100));
    expect([answer.status, answer.body.code]).toEqual([504, 'platform.deadline-exceeded']);
    expect(lastSlow.signal?.aborted).toBe(true);
  });

  it('does not begin a request whose time is already over', async () => {
    lastSlow.signal = undefined;
    const answer = await client()
      .get(slow.path)
      .set('x-marimo-deadline', String(Date.now() - 1));
    expect(answer.status).toBe(504);
    expect(lastSlow.signal).toBeUndefined();
  });

  it('does not let the caller lengthen it', async () => {
    const short = endpoint({ ...slow, path: '/api/v1/test/short', deadlineMs: 50 });
    const other = await kitUnderTest([handle(short, () => new Promise(() => {}))]);
    const answer = await supertest(other.url)
      .get(short.path)
      .set('x-marimo-deadline', String(Date.now() + 60_000));
    expect(answer.status).toBe(504);
    await other.stop();
  });

  it('gives up the work of a caller who has gone', async () => {
    lastSlow.signal = undefined;
    const socket = connect(kit.port, '127.0.0.1');
    socket.write(`GET ${slow.path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until(() => lastSlow.signal !== undefined);
    socket.destroy();
    await until(() => lastSlow.signal?.aborted === true);
  });

  it('cuts off clients who stop in the middle of their headers', async () => {
    const answer = await rawRequest(kit.port, 'GET /api/v1/test/versioned HTTP/1.1\r\nHost: x\r\nX-A: ');
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
  });

  it('cuts off clients who send their body byte by byte', async () => {
    const socket = connect(kit.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST ${takeOrder.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n` +
        `Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n`,
    );
    let sent = 0;
    const sending = setInterval(() => socket.write(' ', () => (sent += 1)), 20);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(sending);
    expect(sent).toBeLessThan(1_000);
  });

  it('refuses too many headers and too long ones', async () => {
    const many = Array.from({ length: 120 }, (_, n) => `X-${n}: 1\r\n`).join('');
    expect(
      await rawRequest(kit.port, `GET /api/v1/test/versioned HTTP/1.1\r\nHost: x\r\n${many}\r\n`),
    ).toMatch(/^HTTP\/1.1 431 /);
    const long = `X-A: ${'x'.repeat(20_000)}\r\n`;
    expect(
      await rawRequest(kit.port, `GET /api/v1/test/versioned HTTP/1.1\r\nHost: x\r\n${long}\r\n`),
    ).toMatch(/^HTTP\/1.1 431 /);
  });
});

describe('what is recorded', () => {
  it('counts by route template and logs one line without query or token', async () => {
    await client().get(`/api/v1/test/orders/${tenantId}?limit=3`).set('authorization', 'Bearer accountant');
    const line = await until(() =>
      kit.lines.find((l) => l['route'] === findOrder.path && l['status'] === 200),
    );
    expect(line).toMatchObject({
      message: 'request',
      method: 'GET',
      path: `/api/v1/test/orders/${tenantId}`,
      'tenant.id': tenantId,
      'user.id': userId,
      'request.id': expect.any(String),
      statements: expect.any(Number),
    });
    expect(JSON.stringify(kit.lines)).not.toMatch(/limit=3|Bearer accountant/);

    const metrics = await kit.metricsText();
    expect(metrics).toMatch(/http_requests_total\{[^}]*route="\/api\/v1\/test\/orders\/\{id\}"/);
    expect(metrics).toContain('route="unknown"');
    expect(metrics).not.toContain(tenantId);
  });

  it('keeps quiet about what machines ask all the time, as long as it goes well', async () => {
    await client().get(pulse.path).expect(200);
    await client().get(`${pulse.path}?count=many`).expect(400);
    const ofPulse = () => kit.lines.filter((line) => line['route'] === pulse.path);
    await until(() => ofPulse().some((line) => line['status'] === 400));
    expect(ofPulse().map((line) => line['status'])).toEqual([400]);
  });
});

describe('a mistake in a declaration', () => {
  it.each([
    ['twice', [takeOrder, takeOrder], 'declared twice'],
    ['of another service', [{ ...whoAmI, path: '/api/v1/users/me' }], 'starts with /api/v<n>/test/'],
    ['for services, yet not internal', [{ ...whoAmI, access: forServices('workers') }], 'is internal'],
    [
      'gone before it is deprecated',
      [{ ...whoAmI, deprecated: { since: '2026-02-01', sunset: '2026-01-01' } }],
      'gone before',
    ],
    [
      'of another version and service',
      [{ ...whoAmI, path: '/api/v2/users/me' }],
      'starts with /api/v<n>/test/',
    ],
    ['public and stored', [{ ...takeOrder, access: 'public' as const }], 'cannot be kept'],
  ])('stops the start: %s', async (_, endpoints: AnyEndpoint[], message) => {
    const wrong = endpoints.map((one) => handle(one, async () => reply(200, {}) as never));
    await expect(kitUnderTest(wrong)).rejects.toThrow(message);
  });
});
