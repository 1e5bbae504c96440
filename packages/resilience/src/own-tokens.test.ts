import { DeadlineExceeded, endpoint, forServices, Unauthenticated, Unavailable } from '@marimo/contracts';
import { apiKeys, serviceTokens } from '@marimo/contracts/users';
import { createLog, createMetrics } from '@marimo/observability';
import { toProblem } from '@marimo/problems';
import { z } from 'zod';
import { answer, Backend, type Behaviour, hang, reset, TestRegistry } from '../test/backend.ts';
import { createServiceClient, type ServiceClient } from './client.ts';
import type { RefusedByService } from './refused.ts';

const readKept = endpoint({
  method: 'GET',
  path: '/internal/accounting/kept',
  summary: 'Tells a service.',
  access: forServices('shop'),
  replies: { 200: z.strictObject({ ok: z.boolean() }) },
});
const writeKept = endpoint({ ...readKept, method: 'POST', repeat: 'natural' });
const [oak, pine] = ['0190a000-0000-7000-8000-0000000000a1', '0190a000-0000-7000-8000-0000000000a2'];

let users: Backend;
let accounting: Backend;
let registry: TestRegistry;
let client: ServiceClient;
let lines: Record<string, unknown>[];
/** Seconds. */
let lifetime: number;
let issued: number;

beforeEach(async () => {
  [lifetime, issued, lines] = [300, 0, []];
  users = await new Backend(issues()).start('users');
  accounting = await new Backend().start('accounting');
  registry = new TestRegistry();
  registry.set(users.instance, accounting.instance);
  client = clientWith({ secret: 'of the shop' });
});
afterEach(async () => {
  await client.close();
  await Promise.all([users.stop(), accounting.stop()]);
});

function clientWith(options: { readonly secret?: string }): ServiceClient {
  const log = createLog({ service: 'shop', write: (line) => lines.push(JSON.parse(line)) });
  return createServiceClient({ registry, service: 'shop', log, metrics: createMetrics('shop'), ...options });
}

const issues = (): Behaviour => (req, res) => {
  issued += 1;
  answer(200, { accessToken: `token-${issued}`, expiresIn: lifetime, tokenType: 'Bearer' })(req, res);
};
const refusedBecause = (refusal: Parameters<typeof toProblem>[0]): Behaviour => {
  const body = toProblem(refusal);
  return answer(body.status, body);
};
/** As a service that believes only some tokens. */
const believing =
  (believes: (token: string) => boolean): Behaviour =>
  (req, res) => {
    const token = (req.headers.authorization ?? '').replace('Bearer ', '');
    const behave = believes(token) ? answer(200, { ok: true }) : refusedBecause(new Unauthenticated({}));
    behave(req, res);
  };
const shown = () => accounting.seen.map(({ headers }) => headers.authorization);
const call = (organisationId?: string, more: object = {}) =>
  client.call(readKept, { ...(organisationId !== undefined && { organisationId }), ...more });
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('calling what is for services', () => {
  it('names the author beside the token, and nowhere else', async () => {
    await call(oak, { authorId: pine });
    await call(oak);
    const open = { ...readKept, path: '/api/v1/accounting/open', access: 'public' as const };
    await client.call(open, { authorId: pine });
    expect(accounting.seen.map(({ headers }) => headers['x-marimo-author'])).toEqual([
      pine,
      undefined,
      undefined,
    ]);
  });

  it('takes a token of its own, with the secret in the body, and nothing of the caller’s', async () => {
    await call(oak, { bearer: 'of the person' });
    expect(shown()).toEqual(['Bearer token-1']);
    expect(users.seen).toHaveLength(1);
    const [asked] = users.seen;
    expect(asked).toMatchObject({ method: 'POST', path: serviceTokens.issue.path });
    expect(JSON.parse(asked?.body ?? '')).toEqual({
      service: 'shop',
      secret: 'of the shop',
      organisationId: oak,
    });
    expect(JSON.stringify([asked?.headers, accounting.seen])).not.toContain('of the shop');
  });

  it('is done with one token for each organisation, and one for none', async () => {
    for (const organisationId of [oak, pine, undefined, oak, pine, undefined]) await call(organisationId);
    const tokens = ['token-1', 'token-2', 'token-3'].map((token) => `Bearer ${token}`);
    expect(shown()).toEqual([...tokens, ...tokens]);
    expect(users.seen.map(({ body }) => JSON.parse(body).organisationId)).toEqual([oak, pine, undefined]);
  });

  it('keeps the tokens of a thousand organisations, those used last', async () => {
    const nth = (n: number) => `0190a000-0000-7000-8000-${String(n).padStart(12, '0')}`;
    for (let n = 0; n <= 1_000; n++) {
      await call(nth(n));
      await call(nth(0));
    }
    expect(issued).toBe(1_001);
    await call(nth(1));
    expect(issued).toBe(1_002);
    await call(nth(0));
    expect(issued).toBe(1_002);
  }, 30_000);

  it('asks once, however many call at the same time, and lets each leave when it likes', async () => {
    let release = (): void => {};
    users.behave = (req, res) => {
      release = () => issues()(req, res);
    };
    const leaving = new AbortController();
    const first = failureOf(call(oak, { signal: leaving.signal }));
    const hurried = failureOf(call(oak, { deadlineAt: Date.now() + 100 }));
    const others = Array.from({ length: 50 }, () => call(oak));
    await pause(50);
    leaving.abort(new Error('gone'));
    expect(await first).toEqual(new Error('gone'));
    expect(await hurried).toBeInstanceOf(DeadlineExceeded);
    release();
    await Promise.all(others);
    expect([users.seen.length, accounting.seen.length]).toEqual([1, 50]);
  });

  it('cannot be done without a secret', async () => {
    await client.close();
    client = clientWith({});
    expect(String(await failureOf(call(oak)))).toContain('shop has no secret');
    expect([users.seen, accounting.seen]).toEqual([[], []]);
  });
});

describe('a token that nears its end', () => {
  it('is replaced ahead of it, and nobody waits for that', async () => {
    lifetime = 5; // renewed after 4 s, used until 4.5 s
    await call(oak);
    users.behave = hang;
    await pause(4_100);
    await call(oak);
    expect(shown()).toEqual(['Bearer token-1', 'Bearer token-1']);
    expect(users.seen).toHaveLength(2);
  }, 15_000);

  it('is not used any more shortly before it', async () => {
    lifetime = 1;
    await call(oak);
    await pause(950);
    await call(oak);
    expect(shown()).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('goes on while users is away', async () => {
    lifetime = 5;
    await call(oak);
    await pause(4_100);
    users.behave = reset;
    await call(oak);
    expect(shown()).toEqual(['Bearer token-1', 'Bearer token-1']);
  }, 15_000);
});

describe('a token that is refused', () => {
  it('is replaced, and the call is made again, also one that is not repeated otherwise', async () => {
    await call(oak);
    accounting.behave = believing((token) => token !== 'token-1'); // its key was withdrawn
    expect(await client.call(writeKept, { organisationId: oak })).toEqual({
      status: 200,
      body: { ok: true },
    });
    expect(shown()).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
    await call(oak);
    expect(issued).toBe(2);
  });

  it('is replaced once for all that were using it', async () => {
    await call(oak);
    accounting.behave = believing((token) => token !== 'token-1');
    await Promise.all(Array.from({ length: 50 }, () => call(oak)));
    expect(issued).toBe(2);
  });

  it('is replaced once and no more: every token refused is no storm, and no 401 for who waits for us', async () => {
    accounting.behave = believing(() => false);
    for (let n = 0; n < 20; n++) {
      expect(await failureOf(call(oak))).toMatchObject({ facts: { service: 'accounting' } });
    }
    expect(await failureOf(call(oak))).toBeInstanceOf(Unavailable);
    expect(issued).toBe(2);
    expect(accounting.seen.length).toBeLessThanOrEqual(22);
    await pause(1_050);
    accounting.behave = believing((token) => token === 'token-3'); // has learned of the new key
    await call(oak);
    expect(issued).toBe(3);
  });

  it('is not one where the service refuses what stands in the request', async () => {
    accounting.behave = refusedBecause(new apiKeys.ApiKeyRefused({}));
    const refused = (await failureOf(call(oak))) as RefusedByService;
    expect(refused.is(apiKeys.ApiKeyRefused)).toBe(true);
    expect([issued, accounting.seen.length]).toEqual([1, 1]);
  });
});

describe('users that give no token', () => {
  it.each<[string, () => void]>([
    ['is not there', () => registry.set(accounting.instance)],
    ['cuts us off', () => (users.behave = reset)],
    ['answers nonsense', () => (users.behave = answer(200, { accessToken: 1 }))],
    ['refuses our secret', () => (users.behave = refusedBecause(new serviceTokens.ServiceRefused({})))],
  ])('(it %s) leaves the call unsent and unavailable', async (_, fail) => {
    fail();
    const failure = await failureOf(call(oak));
    expect(failure).toBeInstanceOf(Unavailable);
    expect(failure).toMatchObject({ facts: { service: 'users' } });
    expect(accounting.seen).toEqual([]);
  });

  it('is told apart in the log when it is our secret, which is not told', async () => {
    users.behave = refusedBecause(new serviceTokens.ServiceRefused({}));
    await failureOf(call(oak));
    const said = lines.filter(({ message }) => message === 'users gives us no token');
    expect(said).toMatchObject([{ 'log.level': 'error' }]);
    expect(JSON.stringify(lines)).not.toContain('of the shop');
  });

  it('is asked again by the next call', async () => {
    users.behave = reset;
    await failureOf(call(oak));
    users.behave = issues();
    expect(await call(oak)).toEqual({ status: 200, body: { ok: true } });
  });

  it('costs no more than the time of the call', async () => {
    users.behave = hang;
    const startedAt = Date.now();
    const failure = await failureOf(call(oak, { deadlineAt: Date.now() + 300 }));
    expect(failure).toBeInstanceOf(DeadlineExceeded);
    expect(Date.now() - startedAt).toBeLessThan(2_000);
  });
});
