import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type AnyEndpoint, endpoint, permission } from '@marimo/contracts';
import { refusal } from '@marimo/problems';
import supertest from 'supertest';
import { z } from 'zod';
import { type KitUnderTest, kitUnderTest, tenantId, userId } from '../../test/kit-under-test.ts';
import { demandMatch, etagOf, handle, type Route, reply } from '../index.ts';

const Order = z.strictObject({
  quantity: z.int().min(1),
  lines: z.array(z.strictObject({ item: z.string() })).default([]),
  meta: z.json().optional(),
});
const maySee = permission('accounting.account.read', { en: 'See', ru: 'Видеть' });

const takeOrder = endpoint({
  method: 'POST',
  path: '/api/v1/test/orders',
  summary: 'Takes an order.',
  access: 'signed-in',
  body: Order,
  bodyLimitBytes: 2_000,
  replies: { 201: z.any() },
});
const findOrder = endpoint({
  method: 'GET',
  path: '/api/v1/test/orders/{id}',
  summary: 'Finds an order.',
  access: maySee,
  params: z.strictObject({ id: z.uuid() }),
  query: z.strictObject({ limit: z.coerce.number().max(9).optional() }),
  replies: { 200: z.any() },
});
const whoAmI = endpoint({
  method: 'GET',
  path: '/api/v1/test/me',
  summary: 'Who is asking.',
  access: 'signed-in',
  replies: { 200: z.any() },
});
const upload = endpoint({
  method: 'POST',
  path: '/api/v1/test/uploads',
  summary: 'Takes text as it comes.',
  access: 'signed-in',
  body: { stream: ['text/csv'] },
  bodyLimitBytes: 100_000,
  repeat: 'natural',
  replies: { 200: z.any() },
});
const slow = endpoint({
  method: 'GET',
  path: '/api/v1/test/slow',
  summary: 'Never answers.',
  access: 'public',
  deadlineMs: 60_000,
  replies: { 200: z.any() },
});
const versioned = endpoint({
  method: 'GET',
  path: '/api/v1/test/versioned',
  summary: 'Has a version.',
  access: 'public',
  replies: { 200: z.any(), 204: z.null() },
});
const failing = endpoint({
  method: 'GET',
  path: '/api/v1/test/failing',
  summary: 'Fails.',
  access: 'public',
  replies: { 200: z.any() },
});
const undeclared = {
  ...whoAmI,
  path: '/api/v1/test/undeclared',
  access: undefined,
} as unknown as AnyEndpoint;

class OutOfStock extends refusal(z.object({ left: z.int() }), {
  code: 'test.out-of-stock',
  kind: 'refused',
  title: 'There is not enough',
  detail: ({ left }) => `Only ${left} left.`,
}) {}

let slowSignal: AbortSignal | undefined;
const routes: Route[] = [
  handle(takeOrder, async ({ body }) => {
    if (body.quantity > 10) throw new OutOfStock({ left: 10 });
    return reply(201, body);
  }),
  handle(findOrder, async ({ params, query }) => reply(200, { ...params, ...query })),
  handle(whoAmI, async ({ caller, tenantId: tenant }) => reply(200, { user: caller?.userId, tenant })),
  handle(upload, async ({ stream, contentType }) =>
    reply(200, { length: (await text(stream)).length, contentType }),
  ),
  handle(slow, async ({ signal }) => {
    slowSignal = signal;
    return new Promise(() => {});
  }),
  handle(versioned, async (call) => {
    demandMatch(call, 7);
    return reply(200, { hello: 'world' }, { etag: etagOf(7) });
  }),
  handle(failing, async () => {
    throw new Error('password=hunter2 in SQL');
  }),
  handle(undeclared as typeof whoAmI, async () => reply(200, {})),
];

let kit: KitUnderTest;
beforeAll(async () => {
  kit = await kitUnderTest(routes, { headersTimeoutMs: 300, requestTimeoutMs: 600 });
});
afterAll(() => kit.stop());

const client = () => supertest(kit.url);
const post = (body: string | object, token = 'admin') =>
  client()
    .post(takeOrder.path)
    .set('authorization', `Bearer ${token}`)
    .set('content-type', 'application/json')
    .send(typeof body === 'string' ? body : JSON.stringify(body));

describe('who may call', () => {
  it('asks for a token where one is needed, and says how to get one', async () => {
    const answer = await client().get('/api/v1/test/me');
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(answer.body).toMatchObject({ code: 'platform.unauthenticated', status: 401 });
  });

  it.each(['Basic YWRtaW46YWRtaW4=', 'Bearer', 'Bearer ', 'Bearer a b', 'admin', 'Bearer forged'])(
    'refuses the authorization %j',
    async (authorization) => {
      expect((await client().get('/api/v1/test/me').set('authorization', authorization)).status).toBe(401);
    },
  );

  it('lets in only who holds the permission, and names it to who does not', async () => {
    const path = `/api/v1/test/orders/${tenantId}`;
    expect((await client().get(path).set('authorization', 'Bearer accountant')).status).toBe(200);
    const refused = await client().get(path).set('authorization', 'Bearer user');
    expect(refused.status).toBe(403);
    expect(refused.body.permission).toBe(maySee.name);
  });

  it('closes a route without declared access to everyone, the administrator too', async () => {
    const answer = await client().get(undeclared.path).set('authorization', 'Bearer admin');
    expect(answer.status).toBe(403);
    expect(answer.body.permission).toBeNull();
  });

  it('does not compile a route that declares no access', () => {
    // @ts-expect-error access is missing
    endpoint({ method: 'GET', path: '/api/v1/test/x', summary: '', replies: { 200: z.null() } });
  });

  it('believes no header about who is calling', async () => {
    const other = '0192f0c8-0000-7000-8000-00000000ffff';
    const answer = await client().get('/api/v1/test/me').set({
      authorization: 'Bearer user',
      'x-user-id': other,
      'x-tenant-id': other,
      'x-roles': 'admin',
      'x-forwarded-user': other,
      x_user_id: other,
    });
    expect(answer.body).toEqual({ user: userId, tenant: tenantId });
    const anonymous = await client().get('/api/v1/test/me').set({ 'x-user-id': other, 'x-tenant-id': other });
    expect(anonymous.status).toBe(401);
  });

  it('refuses the stranger before reading what he sends', async () => {
    const answer = await client().post(takeOrder.path).set('content-type', 'application/json').send('{');
    expect(answer.status).toBe(401);
  });
});

describe('what may be sent', () => {
  it('takes what the contract describes and fills in its defaults', async () => {
    const answer = await post({ quantity: 2 });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({ quantity: 2, lines: [] });
  });

  it('names every wrong field at once by its JSON pointer', async () => {
    const answer = await post({ quantity: 0, lines: [{ item: 'a' }, { item: 5, price: 1 }], 'tenant/id': 1 });
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    const pointers = answer.body.errors.map((error: { pointer: string }) => error.pointer).sort();
    expect(pointers).toEqual(['/lines/1/item', '/lines/1/price', '/quantity', '/tenant~1id']);
  });

  it.each([
    ['no JSON', '{"quantity": 1', 'not valid JSON'],
    ['not even a value', '', 'expected object'],
    ['a field given twice', '{"quantity": 1, "quantity": 2}', 'given twice'],
    ['a field given twice in two spellings', '{"quantity": 1, "quan\\u0074ity": 2}', 'given twice'],
    ['a prototype', '{"quantity": 1, "__proto__": {"admin": true}}', '__proto__'],
    ['a hidden prototype', '{"quantity": 1, "meta": {"\\u005f_proto__": {"admin": true}}}', '__proto__'],
    ['a constructor', '{"quantity": 1, "meta": [{"constructor": {"prototype": {}}}]}', 'constructor'],
    ['33 levels', `{"quantity": 1, "meta": ${'['.repeat(32)}${']'.repeat(32)}}`, 'deeper than 32'],
    ['a NUL character', '{"quantity": 1, "meta": "a\\u0000b"}', 'NUL'],
    ['half a surrogate pair', '{"quantity": 1, "meta": "a\\ud800b"}', 'well-formed'],
    ['an array for the object', '[{"quantity": 1}]', 'expected object'],
    ['a text for the number', '{"quantity": "1"}', 'expected number'],
  ])('refuses %s', async (_, body, detail) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('platform.malformed-request');
    expect(answer.body.detail).toContain(detail);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('takes 32 levels, and braces and quotes inside texts', async () => {
    const deep = `${'['.repeat(31)}${']'.repeat(31)}`;
    expect((await post(`{"quantity": 1, "meta": ${deep}}`)).status).toBe(201);
    const tricky = {
      quantity: 1,
      meta: '{"a":1,"a":2} \\" [[[[ \u00e9 \ud83d\ude00',
      lines: [{ item: 'a' }, { item: 'b' }],
    };
    expect((await post(tricky)).body).toEqual(tricky);
  });

  it('refuses text that is not UTF-8', async () => {
    const answer = await post(Buffer.from([0x22, 0xff, 0x22]).toString('latin1'));
    expect(answer.status).toBe(400);
  });

  it.each([
    ['text/plain', undefined],
    ['application/x-www-form-urlencoded', undefined],
    ['application/json; charset=utf-16', undefined],
    ['application/json', 'gzip'],
  ])('refuses a body of type %s, encoding %s', async (type, encoding) => {
    const request = client()
      .post(takeOrder.path)
      .set({ authorization: 'Bearer admin', 'content-type': type });
    if (encoding !== undefined) request.set('content-encoding', encoding);
    const answer = await request.send('{"quantity":1}');
    expect(answer.status).toBe(415);
    expect(answer.body.accepted).toEqual(['application/json']);
  });

  it('refuses a body above its limit, said beforehand or not', async () => {
    const said = await post(`{"quantity": 1, "meta": "${'x'.repeat(3_000)}"}`);
    expect([said.status, said.body.limit]).toEqual([413, 2_000]);

    const answer = await rawRequest(
      `POST ${takeOrder.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n` +
        `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `fa0\r\n${'x'.repeat(4_000)}\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
  });

  it('gives a caller who is still sending a giant body its refusal, then cuts him off', async () => {
    const answer = await rawRequest(
      `POST ${takeOrder.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n` +
        `Content-Type: application/json\r\nContent-Length: 1000000000000\r\n\r\n{`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
  });

  it('hands a stream on as it is, up to its limit', async () => {
    const send = (body: string) =>
      client()
        .post(upload.path)
        .set({ authorization: 'Bearer admin', 'content-type': 'text/csv; charset=utf-8' })
        .send(body);
    expect((await send('a;b\n'.repeat(20_000))).body).toEqual({ length: 80_000, contentType: 'text/csv' });
    expect((await send('a;b\n'.repeat(30_000))).status).toBe(413);
  });

  it.each([
    ['/api/v1/test/orders/nonsense', '{id}'],
    [`/api/v1/test/orders/${tenantId}?limit=10`, '?limit'],
    [`/api/v1/test/orders/${tenantId}?limit=1&limit=2`, '?limit'],
    [`/api/v1/test/orders/${tenantId}?admin=1`, '?admin'],
    [`/api/v1/test/orders/${tenantId}?limit[a]=1`, '?limit[a]'],
    [`/api/v1/test/orders/${tenantId}?__proto__[a]=1`, '?__proto__[a]'],
    [`/api/v1/test/orders/${tenantId}?limit=1%00`, ''],
    ['/api/v1/test/orders/%zz', ''],
  ])('refuses the address %s', async (path, pointer) => {
    const answer = await client().get(path).set('authorization', 'Bearer accountant');
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  it('refuses a body where none is declared', async () => {
    const answer = await client().get('/api/v1/test/me').set('authorization', 'Bearer user').send({ a: 1 });
    expect(answer.status).toBe(400);
  });
});

describe('what is answered', () => {
  it('says 404 to an unknown route and 405 with Allow to an unknown method', async () => {
    const absent = await client().get('/api/v1/test/nothing');
    expect([absent.status, absent.body.code]).toEqual([404, 'platform.absent']);
    const method = await client().delete(takeOrder.path);
    expect([method.status, method.headers['allow']]).toEqual([405, 'POST']);
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
});

describe('time', () => {
  it('lets the caller shorten the deadline; then the work is given up and 504 is answered', async () => {
    const answer = await client()
      .get(slow.path)
      .set('x-marimo-deadline', String(Date.now() + 100));
    expect([answer.status, answer.body.code]).toEqual([504, 'platform.deadline-exceeded']);
    expect(slowSignal?.aborted).toBe(true);
  });

  it('does not begin a request whose time is already over', async () => {
    slowSignal = undefined;
    const answer = await client()
      .get(slow.path)
      .set('x-marimo-deadline', String(Date.now() - 1));
    expect(answer.status).toBe(504);
    expect(slowSignal).toBeUndefined();
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
    slowSignal = undefined;
    const socket = connect(kit.port, '127.0.0.1');
    socket.write(`GET ${slow.path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until(() => slowSignal !== undefined);
    socket.destroy();
    await until(() => slowSignal?.aborted === true);
  });

  it('cuts off clients who send their headers or their body too slowly', async () => {
    const headers = await rawRequest('GET /api/v1/test/versioned HTTP/1.1\r\nHost: x\r\nX-A: ');
    expect(headers).toMatch(/^HTTP\/1.1 408 /);
    const body = await rawRequest(
      `POST ${takeOrder.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n` +
        `Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"quantity"`,
    );
    expect(body).toMatch(/^(HTTP\/1.1 408 |$)/);
  });

  it('refuses too many headers and too long ones', async () => {
    const many = Array.from({ length: 120 }, (_, n) => `X-${n}: 1\r\n`).join('');
    expect(await rawRequest(`GET /api/v1/test/versioned HTTP/1.1\r\nHost: x\r\n${many}\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
    const long = `X-A: ${'x'.repeat(20_000)}\r\n`;
    expect(await rawRequest(`GET /api/v1/test/versioned HTTP/1.1\r\nHost: x\r\n${long}\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
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
    });
    expect(JSON.stringify(kit.lines)).not.toMatch(/limit=3|Bearer accountant/);

    const metrics = await kit.metricsText();
    expect(metrics).toMatch(/http_requests_total\{[^}]*route="\/api\/v1\/test\/orders\/\{id\}"/);
    expect(metrics).toContain('route="unknown"');
    expect(metrics).not.toContain(tenantId);
  });
});

describe('a mistake in a declaration', () => {
  it.each([
    ['twice', [takeOrder, takeOrder], 'declared twice'],
    ['of another service', [{ ...whoAmI, path: '/api/v1/users/me' }], 'starts with /api/v1/test/'],
    ['public and stored', [{ ...takeOrder, access: 'public' as const }], 'cannot be kept'],
  ])('stops the start: %s', async (_, endpoints: AnyEndpoint[], message) => {
    const wrong = endpoints.map((one) => handle(one, async () => reply(200, {}) as never));
    await expect(kitUnderTest(wrong)).rejects.toThrow(message);
  });
});

/** Sends bytes and resolves with everything that came back until the server closed. */
function rawRequest(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(kit.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    socket.write(bytes);
  });
}

async function until<T>(check: () => T): Promise<T> {
  for (let tries = 0; tries < 400; tries++) {
    const value = check();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not happen');
}
