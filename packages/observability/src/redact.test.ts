import { redact, redactText } from './redact.ts';

const secret = 'hunter2-hunter2';

describe('what a log may show', () => {
  it.each([
    'password',
    'newPassword',
    'DB_PASSWORD',
    'accessToken',
    'refresh_token',
    'jwtSecret',
    'Authorization',
    'cookie',
    'set-cookie',
    'apiKey',
    'x-api-key',
    'privateKey',
    'passphrase',
    'credentials',
    'pwd',
  ])('hides the value of %s at any depth', (name) => {
    const text = JSON.stringify(redact({ [name]: secret, a: [{ b: new Map([[name, { value: secret }]]) }] }));
    expect(text).not.toContain(secret);
    expect(text.match(/\[redacted\]/g)).toHaveLength(2);
  });

  it('still shows that a secret is missing, and everything else', () => {
    expect(redact({ password: undefined, token: null, keyId: 'k1', count: 3, ok: true, none: null })).toEqual(
      {
        password: undefined,
        token: null,
        keyId: 'k1',
        count: 3,
        ok: true,
        none: null,
      },
    );
  });

  it.each([
    `Authorization: Bearer ${secret}`,
    `proxy said: basic ${secret}`,
    `connect to postgres://marimo:${secret}@db.example:5432/erp failed`,
    `redis://:${secret}@cache`,
    `GET /callback?access_token=${secret}&state=1`,
    `body was {"email":"a@b.c","password":"${secret} \\" ${secret}"}`,
    'verified eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl',
    new Error(`login with password=${secret} failed`, { cause: new Error(`token_hash=${secret}`) }),
    new URL(`amqp://guest:${secret}@broker/`),
  ])('hides a secret inside a text or an error: %s', (value) => {
    const text = JSON.stringify(redact({ value }));
    expect(text).not.toContain(secret);
    expect(text).not.toContain('c2lnbmF0dXJl');
    expect(text).toContain('[redacted]');
  });

  it('leaves texts without secrets alone', () => {
    for (const text of [
      'GET /api/v1/users/me took 3 ms',
      'http://localhost:8080/a@b',
      'token bucket is empty',
    ])
      expect(redactText(text)).toBe(text);
  });

  it('hides a password whole, also one with an @ in it', () => {
    const text = redactText(`connect to postgres://marimo:p@ss@${secret}@db.example:5432/erp failed`);
    expect(text).toBe('connect to postgres://marimo:[redacted]@db.example:5432/erp failed');
  });

  // What strangers send is in every line about a request: its path above all.
  it.each(['eyJ-', 'eyJ.', 'token-', 'token"', 'bearer ', '://a:', 'a@'])(
    'takes no longer for a text made of %s than for any other',
    (unit) => {
      const text = unit.repeat(16_000 / unit.length);
      const tookMs = Array.from({ length: 5 }, () => {
        const startedAt = performance.now();
        redactText(text);
        return performance.now() - startedAt;
      });
      expect(Math.min(...tookMs)).toBeLessThan(20);
    },
  );
});

describe('anything at all can be logged', () => {
  it('shows a thing that contains itself once, and the same thing beside itself twice', () => {
    const item: Record<string, unknown> = { code: '51' };
    item['self'] = item;
    expect(redact({ item })).toEqual({ item: { code: '51', self: '[circular]' } });
    const shared = { a: 1 };
    expect(redact([shared, shared])).toEqual([{ a: 1 }, { a: 1 }]);
  });

  it('does not throw on what cannot be read, and does not let a key become a prototype', () => {
    const unreadable = Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    const sly = JSON.parse('{"__proto__":{"admin":true}}') as object;
    const copy = redact({ unreadable, sly, f: () => 1, s: Symbol('x'), n: Number.NaN }) as Record<
      string,
      object
    >;
    expect(copy).toMatchObject({ unreadable: '[unreadable]', f: '[function]', s: '[symbol]', n: 'NaN' });
    expect((copy['sly'] as { admin?: boolean }).admin).toBeUndefined();
  });

  it('shortens what is too deep, too many, too long or binary', () => {
    let deep: unknown = 'end';
    for (let n = 0; n < 10_000; n++) deep = [deep];
    expect(JSON.stringify(redact(deep)).length).toBeLessThan(100);
    expect(redact(Array.from({ length: 1_000 }, (_, n) => n))).toHaveLength(101);
    expect(redactText('x'.repeat(1_000_000)).length).toBeLessThan(17_000);
    expect(redact(Buffer.alloc(5))).toBe('[5 bytes]');
  });

  it('writes money and moments as they write themselves', () => {
    const money = { toJSON: () => ({ amount: '1.00', currency: 'RUB' }) };
    expect(redact({ money, at: new Date(0) })).toEqual({
      money: { amount: '1.00', currency: 'RUB' },
      at: '1970-01-01T00:00:00.000Z',
    });
  });
});
