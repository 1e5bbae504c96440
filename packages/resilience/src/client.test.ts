import { BadUpstream, DeadlineExceeded, endpoint, MoneyOnWire, Unavailable } from '@marimo/contracts';
import { createLog, createMetrics, type Metrics, runInContext } from '@marimo/observability';
import { refusal, toProblem } from '@marimo/problems';
import { z } from 'zod';
import { answer, Backend, breakOff, hang, problem, reset, TestRegistry } from '../test/backend.ts';
import { createServiceClient, type ServiceClient, type ServiceClientOptions } from './client.ts';
import { RefusedByService } from './refused.ts';

const Ok = z.strictObject({ ok: z.boolean() });
const readThing = endpoint({
  method: 'GET',
  path: '/api/v1/accounting/things/{id}',
  summary: 'Reads.',
  access: 'signed-in',
  params: z.strictObject({ id: z.string() }),
  query: z.strictObject({ limit: z.int().optional() }),
  replies: { 200: Ok },
});
const makeThing = endpoint({
  method: 'POST',
  path: '/api/v1/accounting/things',
  summary: 'Makes.',
  access: 'signed-in',
  body: z.strictObject({ price: MoneyOnWire }),
  replies: { 201: z.strictObject({ price: MoneyOnWire }), 204: z.null() },
});
const wirePrice = { amount: '10.00', currency: 'RUB' };
const read = { params: { id: '7' }, query: {} };
const make = { body: { price: wirePrice } };

class PeriodClosed extends refusal(z.object({ period: z.string() }), {
  code: 'accounting.period-closed',
  kind: 'refused',
  title: 'The period is closed',
  detail: ({ period }) => `Closed: ${period}.`,
}) {}

let backends: Backend[];
let registry: TestRegistry;
let client: ServiceClient;
let metrics: Metrics;

beforeEach(() => {
  backends = [];
  registry = new TestRegistry();
  open();
});
afterEach(async () => {
  await client.close();
  await Promise.all(backends.map((backend) => backend.stop()));
});

function open(options: Partial<ServiceClientOptions> = {}): void {
  metrics = createMetrics('shop');
  const log = createLog({ service: 'shop', level: 'silent' });
  client = createServiceClient({ registry, service: 'shop', log, metrics, ...options });
}

async function backend(...behaviours: Backend['behave'][]): Promise<Backend> {
  const started = await new Backend(inTurn(behaviours)).start();
  backends.push(started);
  registry.set(...backends.map(({ instance }) => instance));
  return started;
}

/** Each behaviour once, the last for ever. */
function inTurn(behaviours: Backend['behave'][]): Backend['behave'] {
  const left = [...behaviours];
  return (req, res) => {
    const next = left.length > 1 ? left.shift() : left[0];
    (next ?? answer(200, { ok: true }))(req, res);
  };
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('calling by contract', () => {
  it('sends what the endpoint declares and hands on who asks, for which request and until when', async () => {
    const { seen } = await backend(answer(201, { price: wirePrice }));
    const before = Date.now();
    const reply = await runInContext({ requestId: 'r-1' }, () =>
      client.call(makeThing, { ...make, bearer: 'abc.def', idempotencyKey: 'k-1' }),
    );
    expect(reply).toMatchObject({ status: 201, body: { price: { minor: 1_000n, currency: 'RUB' } } });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      method: 'POST',
      path: '/api/v1/accounting/things',
      body: JSON.stringify(make.body),
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer abc.def',
        'idempotency-key': 'k-1',
        'x-request-id': 'r-1',
      },
    });
    const deadlineAt = Number(seen[0]?.headers['x-marimo-deadline']);
    expect(deadlineAt).toBeGreaterThanOrEqual(before + 15_000);
    expect(deadlineAt).toBeLessThanOrEqual(Date.now() + 15_000);
  });

  it('fills path and query, and reads an empty reply', async () => {
    const { seen } = await backend(answer(200, { ok: true }), answer(204, null));
    await client.call(readThing, { params: { id: 'a/b' }, query: { limit: 5 } });
    expect(seen[0]?.path).toBe('/api/v1/accounting/things/a%2Fb?limit=5');
    expect(await client.call(makeThing, make)).toEqual({ status: 204, body: null });
  });

  it('leaves out what a newer instance says beyond the contract, at any depth', async () => {
    const price = { ...wirePrice, netOf: 'tax' };
    await backend(answer(201, { price, priceList: 'spring' }));
    const { body } = await client.call(makeThing, make);
    expect(Object.keys(body ?? {})).toEqual(['price']);
    expect(body).toMatchObject({ price: { minor: 1_000n, currency: 'RUB' } });
  });

  it('refuses a reply that breaks the contract, and tells nobody a wrong value', async () => {
    for (const wrong of [answer(200, { ok: 'yes' }), answer(200, null), answer(418, {}), answer(302, null)]) {
      const { seen } = await backend(wrong);
      expect(await failureOf(client.call(readThing, read))).toBeInstanceOf(BadUpstream);
      expect(seen).toHaveLength(1); // it would be as wrong again
      registry.set();
      await backends.pop()?.stop();
    }
  });

  it('refuses a reply that is too large, once', async () => {
    await client.close();
    open({ maxReplyBytes: 1_000 });
    const { seen } = await backend(answer(200, { ok: true, filler: 'x'.repeat(2_000) }));
    expect(await failureOf(client.call(readThing, read))).toBeInstanceOf(BadUpstream);
    expect(seen).toHaveLength(1);
  });

  it('does not send what would not fit into a header, and does not blame the instance', async () => {
    const { seen } = await backend();
    for (let n = 0; n < 10; n++) {
      const failure = await failureOf(client.call(readThing, { ...read, bearer: 'x\r\nhost: y' }));
      expect(failure).toMatchObject({ code: 'UND_ERR_INVALID_ARG' });
    }
    expect(seen).toEqual([]);
    expect(await client.call(readThing, read)).toEqual({ status: 200, body: { ok: true } });
  });
});

describe('a refusal of the other service', () => {
  it('keeps its code, kind, facts and patience, and reaches our own caller as what it was', async () => {
    await backend(
      answer(422, toProblem(new PeriodClosed({ period: '2026-01' }), 'r-9'), { 'retry-after': '7' }),
    );
    const refused = (await failureOf(client.call(makeThing, make))) as RefusedByService;
    expect(refused).toBeInstanceOf(RefusedByService);
    expect(refused).toMatchObject({
      service: 'accounting',
      facts: { period: '2026-01' },
      retryAfterSeconds: 7,
    });
    expect(refused.is(PeriodClosed)).toBe(true);
    expect(refused.is(Unavailable)).toBe(false);
    expect(toProblem(refused)).toEqual(toProblem(new PeriodClosed({ period: '2026-01' })));
  });

  it.each([400, 401, 403, 404, 409, 412, 413, 415, 422, 429])(
    '(%s) is not asked for again and never opens the breaker',
    async (status) => {
      const { seen } = await backend(problem(status, 'accounting.no'));
      for (let n = 0; n < 12; n++) {
        expect(await failureOf(client.call(readThing, read))).toBeInstanceOf(RefusedByService);
      }
      expect(seen).toHaveLength(12);
    },
  );

  it('because a further service is away is passed on: no retry, and our breaker stays closed', async () => {
    const { seen } = await backend(problem(503, 'platform.unavailable', { service: 'users' }));
    for (let n = 0; n < 12; n++) {
      expect(await failureOf(client.call(readThing, read))).toMatchObject({ facts: { service: 'users' } });
    }
    expect(seen).toHaveLength(12);
  });
});

describe('a failing dependency', () => {
  it.each([
    ['resets the connection', reset],
    ['breaks off its answer', breakOff],
    ['says 503', problem(503, 'platform.unavailable', { service: 'accounting' })],
    ['says 502', answer(502, null)],
  ])('that %s once is asked again where that is safe', async (_, fault) => {
    const { seen } = await backend(fault, answer(200, { ok: true }));
    expect(await client.call(readThing, read)).toEqual({ status: 200, body: { ok: true } });
    expect(seen).toHaveLength(2);
    expect(await metrics.render()).toMatch(
      /client_retries_total\{target="accounting",reason="[a-z-]+",.*\} 1/,
    );
  });

  it.each([
    ['resets the connection', reset],
    ['breaks off its answer', breakOff],
    ['says 503', problem(503, 'platform.unavailable', { service: 'accounting' })],
  ])('that %s is sent an un-keyed POST once, and a keyed one again', async (_, fault) => {
    const { seen } = await backend(fault, fault, answer(204, null));
    await failureOf(client.call(makeThing, make));
    expect(seen).toHaveLength(1);
    expect(await client.call(makeThing, { ...make, idempotencyKey: 'k' })).toEqual({
      status: 204,
      body: null,
    });
    expect(seen).toHaveLength(3);
  });

  it('is asked three times at most', async () => {
    const { seen } = await backend(reset);
    expect(await failureOf(client.call(readThing, read))).toBeInstanceOf(BadUpstream);
    expect(seen).toHaveLength(3);
  });

  it('says whether anything can have been done', async () => {
    const broken = await backend(reset);
    expect(await failureOf(client.call(makeThing, make))).toBeInstanceOf(BadUpstream);
    await broken.stop(); // nobody listens: nothing was sent
    expect(await failureOf(client.call(makeThing, make))).toBeInstanceOf(Unavailable);
  });

  it('never says that nothing was sent once it may have been done', async () => {
    const keyed = { ...make, idempotencyKey: 'k' };
    const gone = await backend((request, response) => {
      void gone.stop(); // the next attempt finds nobody there
      reset(request, response);
    });
    expect(await failureOf(client.call(makeThing, keyed))).toBeInstanceOf(BadUpstream);
    await backend((request, response) => {
      registry.set(); // the next attempt knows of nobody
      reset(request, response);
    });
    expect(await failureOf(client.call(makeThing, keyed))).toBeInstanceOf(BadUpstream);
  });

  it('opens its breaker, and is then spared: calls fail at once', async () => {
    const { seen } = await backend(answer(500, { not: 'a problem' }));
    for (let n = 0; n < 20; n++) await failureOf(client.call(readThing, read));
    expect(seen).toHaveLength(5);
    expect(await failureOf(client.call(readThing, read))).toBeInstanceOf(Unavailable);
  });

  it('is left for another instance, first in the same call, then by its breaker', async () => {
    const bad = await backend(reset);
    const good = await backend();
    for (let n = 0; n < 30; n++) {
      expect(await client.call(readThing, read)).toEqual({ status: 200, body: { ok: true } });
    }
    expect(bad.seen).toHaveLength(5);
    expect(good.seen).toHaveLength(30);
  });

  it('is left for another instance even when that one has more to do', async () => {
    const good = await backend(hang, hang, hang, answer(200, { ok: true }));
    const caller = new AbortController();
    const busy = [1, 2, 3].map(() => failureOf(client.call(readThing, { ...read, signal: caller.signal })));
    while (good.seen.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    const bad = await backend(reset);
    for (let n = 0; n < 4; n++) expect(await client.call(readThing, read)).toMatchObject({ status: 200 });
    expect(bad.seen).toHaveLength(4); // the less busy first, and never twice in one call
    caller.abort(new Error('enough'));
    await Promise.all(busy);
  });

  it('costs at most a tenth more calls and the reserve of ten', async () => {
    await client.close();
    open({ breaker: { failurePercent: 101 } }); // the breaker out of the way
    const { seen } = await backend(answer(502, null));
    for (let n = 0; n < 100; n++)
      await failureOf(client.call(readThing, { ...read, deadlineAt: Date.now() + 900 }));
    expect(seen.length).toBeGreaterThan(100);
    expect(seen.length).toBeLessThanOrEqual(100 + 10 + 10);
  });
});

describe('a hung dependency', () => {
  it('is given up at the deadline, and never later', async () => {
    const { seen } = await backend(hang);
    const failure = await failureOf(client.call(readThing, { ...read, deadlineAt: Date.now() + 500 }));
    expect(failure).toBeInstanceOf(DeadlineExceeded);
    expect(seen).toHaveLength(1);
  });

  it('is not called at all when the time is already up', async () => {
    const { seen } = await backend();
    const failure = await failureOf(client.call(readThing, { ...read, deadlineAt: Date.now() - 1 }));
    expect(failure).toBeInstanceOf(DeadlineExceeded);
    expect(seen).toEqual([]);
  });

  it('opens its breaker when it had a fair chance, and not through callers in a hurry', async () => {
    const { seen } = await backend(hang);
    const hurried = () => failureOf(client.call(readThing, { ...read, deadlineAt: Date.now() + 20 }));
    await Promise.all(Array.from({ length: 20 }, hurried));
    expect(await failureOf(client.call(readThing, { ...read, deadlineAt: Date.now() + 20 }))).toBeInstanceOf(
      DeadlineExceeded,
    );
    const patient = () => failureOf(client.call(readThing, { ...read, deadlineAt: Date.now() + 1_500 }));
    await Promise.all(Array.from({ length: 5 }, patient));
    const before = seen.length;
    expect(await failureOf(client.call(readThing, read))).toBeInstanceOf(Unavailable);
    expect(seen).toHaveLength(before);
  });

  it('lets go when the caller leaves, with the caller’s own reason, and gives its connection back', async () => {
    await client.close();
    open({ connections: { connections: 1 } });
    const { seen } = await backend(hang, answer(200, { ok: true }));
    const caller = new AbortController();
    const calls = [1, 2].map(() => failureOf(client.call(readThing, { ...read, signal: caller.signal })));
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    caller.abort(new Error('gone')); // one is on its way, the other waits for the connection
    expect(await Promise.all(calls)).toEqual([new Error('gone'), new Error('gone')]);
    expect(await client.call(readThing, read)).toEqual({ status: 200, body: { ok: true } });
    expect(seen).toHaveLength(2); // the one that waited was never sent
  });
});

describe('a flapping dependency and one that recovers', () => {
  const quick = { windowMs: 1_000, openMs: 1_000 };

  it('is probed when its breaker has been open long enough, and served again when it is well', async () => {
    await client.close();
    open({ breaker: quick });
    const back = await backend(answer(500, {}));
    for (let n = 0; n < 10; n++) await failureOf(client.call(readThing, read));
    expect(back.seen).toHaveLength(5);

    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await failureOf(client.call(readThing, read)); // a probe; still ill
    await failureOf(client.call(readThing, read));
    expect(back.seen).toHaveLength(6);

    back.behave = answer(200, { ok: true });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    for (let n = 0; n < 10; n++) await client.call(readThing, read);
    expect(back.seen).toHaveLength(16);
    expect(await metrics.render()).toMatch(/breaker_state\{.*\} 0/);
  });

  it('that fails every other time is hidden from readers by another instance', async () => {
    const flapping = Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? reset : answer(200, { ok: true })));
    await backend(...flapping);
    await backend();
    for (let n = 0; n < 40; n++) {
      expect(await client.call(readThing, read)).toEqual({ status: 200, body: { ok: true } });
    }
  });

  it('that moves elsewhere is followed, and what it still answers is awaited', async () => {
    let release = (): void => {};
    const old = await backend((req, res) => {
      release = () => answer(204, null)(req, res);
    });
    const slow = client.call(makeThing, make); // a POST: cut off, it could not be sent again
    while (old.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const moved = await new Backend().start();
    backends.push(moved);
    registry.set(moved.instance);
    expect(await client.call(readThing, read)).toEqual({ status: 200, body: { ok: true } });
    expect(moved.seen).toHaveLength(1);
    release();
    expect(await slow).toEqual({ status: 204, body: null });
  });

  it('that nobody knows is unavailable at once', async () => {
    expect(await failureOf(client.call(readThing, read))).toBeInstanceOf(Unavailable);
  });
});
