import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import supertest from 'supertest';
import { httpRoutes, takeLongOrder, takeOrder, upload } from '../../test/http-routes.ts';
import { type KitUnderTest, kitUnderTest, tenantId } from '../../test/kit-under-test.ts';
import { rawRequest } from '../../test/raw-request.ts';

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
    const quoting = { quantity: 1, lines: [], meta: 'x","quantity":1,"quantity":2,"y' };
    expect((await post(quoting)).body).toEqual(quoting);
  });

  it('refuses a body in which everything is wrong', async () => {
    const wrong = `[${'0,'.repeat(200_000)}0]`;
    const manyFields = `{${Array.from({ length: 130_000 }, (_, n) => `"${n}":0`).join()}}`;
    for (const body of [`{"lines":${wrong}}`, manyFields]) {
      const answer = await client()
        .post(takeLongOrder.path)
        .set({ authorization: 'Bearer admin', 'content-type': 'application/json' })
        .send(body);
      expect([answer.status, answer.body.errors?.length]).toEqual([400, 50]);
    }
  });

  it('refuses text that is not UTF-8', async () => {
    const answer = await fetch(kit.url + takeOrder.path, {
      method: 'POST',
      headers: { authorization: 'Bearer admin', 'content-type': 'application/json' },
      body: Buffer.concat([Buffer.from('{"quantity": 1, "meta": "'), Buffer.from([0xff]), Buffer.from('"}')]),
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('UTF-8');
  });

  it.each([
    ['text/plain', undefined, 'media type', 'text/plain', 'application/json'],
    ['application/x-www-form-urlencoded', undefined, 'media type', undefined, 'application/json'],
    ['application/vnd.ms-excel', undefined, 'media type', undefined, 'application/json'],
    ['application/json; charset=utf-16', undefined, 'character set', 'utf-16', 'utf-8'],
    ['application/json; charset=windows-1251', undefined, 'character set', 'windows-1251', 'utf-8'],
    ['application/json; charset=nonsense', undefined, 'character set', 'nonsense', 'utf-8'],
    ['application/json', 'gzip', 'content encoding', 'gzip', 'identity'],
  ])(
    'refuses a body of type %s, encoding %s: the %s is wrong',
    async (type, encoding, wrong, sent, right) => {
      const request = client()
        .post(takeOrder.path)
        .set({ authorization: 'Bearer admin', 'content-type': type });
      if (encoding !== undefined) request.set('content-encoding', encoding);
      const answer = await request.send('{"quantity":1}');
      expect(answer.status).toBe(415);
      expect(answer.body).toMatchObject({ unsupported: wrong, sent: sent ?? type, accepted: [right] });
      expect(answer.body.detail).toBe(`The ${wrong} ${sent ?? type} is not supported. Send ${right}.`);
    },
  );

  it('names the missing media type of a body that has none', async () => {
    const answer = await rawRequest(
      kit.port,
      `POST ${takeOrder.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 415 .*"detail":"The media type is missing. Send application\/json."/s);
  });

  it.each([
    ['gzip, chunked', '400 Bad Request'],
    ['Chunked', '200 OK'],
  ])('reads no coding of a stream but its chunks: %s', async (coding, status) => {
    const answer = await rawRequest(
      kit.port,
      `POST ${upload.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nConnection: close\r\nContent-Type: text/csv\r\nTransfer-Encoding: ${coding}\r\n\r\n3\r\na;b\r\n0\r\n\r\n`,
    );
    expect(answer).toMatch(`HTTP/1.1 ${status}`);
  });

  it.each(['utf-8', 'UTF-8', 'utf8', '"utf8"', 'unicode-1-1-utf-8', 'us-ascii', 'US-ASCII', 'ascii'])(
    'reads the character set %s as UTF-8, in JSON and in a stream',
    async (label) => {
      const json = { 'content-type': `application/json; charset=${label}`, 'content-encoding': 'Identity' };
      const order = client()
        .post(takeOrder.path)
        .set({ authorization: 'Bearer admin', ...json });
      expect((await order.send('{"quantity":1}')).status).toBe(201);
      const file = client().post(upload.path).set('authorization', 'Bearer admin');
      const uploaded = await file.set('content-type', `text/csv;charset=${label}`).send('a;b');
      expect(uploaded.body).toEqual({ length: 3, contentType: 'text/csv' });
    },
  );

  it('takes a file that a browser on Windows calls an Excel sheet for the CSV it is', async () => {
    const file = client().post(upload.path).set('authorization', 'Bearer admin');
    const uploaded = await file.set('content-type', 'application/vnd.ms-excel').send('a;b');
    expect(uploaded.body).toEqual({ length: 3, contentType: 'text/csv' });
  });

  it('refuses a body above its limit, said beforehand or not', async () => {
    const said = await post(`{"quantity": 1, "meta": "${'x'.repeat(3_000)}"}`);
    expect([said.status, said.body.limit]).toEqual([413, 2_000]);

    const answer = await rawRequest(
      kit.port,
      `POST ${takeOrder.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n` +
        `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `fa0\r\n${'x'.repeat(4_000)}\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
  });

  it('gives a caller who goes on sending a giant body its refusal, then cuts him off', async () => {
    const socket = connect(kit.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST ${takeOrder.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n` +
        `Content-Type: application/json\r\nContent-Length: 1000000000000\r\n\r\n`,
    );
    const chunk = Buffer.alloc(256 * 1024, 'x');
    const sending = setInterval(() => socket.write(chunk), 1);
    await pause(300); // as most clients, it looks for an answer only after a while
    let heard = '';
    socket.on('data', (data) => {
      heard += data;
    });
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(sending);
    expect(heard).toMatch(/^HTTP\/1.1 413 .*"limit":2000/s);
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
