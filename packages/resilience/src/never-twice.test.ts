import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { endpoint } from '@marimo/contracts';
import { createLog, createMetrics } from '@marimo/observability';
import { z } from 'zod';
import { TestRegistry } from '../test/backend.ts';
import { createServiceClient } from './client.ts';

const faults = [
  'reset as the connection opens',
  'reset at the first bytes', // the rest of the body is still being written
  'reset before the answer',
  'closed before the answer',
  'reset in the answer’s head',
  'reset in the answer’s body',
  'closed in the answer’s body',
  'answer cut, connection left open', // until the deadline
  'nonsense for an answer',
  '500',
  '502',
  '503',
  'answered, then closed', // the next request meets a dying connection
  'answered',
] as const;
type Fault = (typeof faults)[number];

const head = (status: number, length: number) => `HTTP/1.1 ${status} X\r\ncontent-length: ${length}\r\n\r\n`;
const done = `${head(200, 11)}{"ok":true}`;

/** A server on the bare socket: it counts a request at its first bytes, whether or not it ever understands it. */
class FaultyServer {
  readonly arrivals = new Map<string, number>();
  readonly met = new Set<Fault>();
  readonly #next: () => Fault;
  readonly #server: Server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();

  constructor(next: () => Fault) {
    this.#next = next;
  }

  async start(): Promise<number> {
    await new Promise<void>((listening) => this.#server.listen(0, '127.0.0.1', listening));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    let fault = this.#meet();
    if (fault === 'reset as the connection opens') return void socket.resetAndDestroy();
    let text = '';
    socket.on('data', (chunk) => {
      if (text === '') this.#count(chunk.toString('latin1'));
      text += chunk.toString('latin1');
      if (fault === 'reset at the first bytes') return void socket.resetAndDestroy();
      const whole = text.startsWith('GET ') ? text.endsWith('\r\n\r\n') : text.endsWith('}');
      if (!whole) return; // its body, one JSON object, is still coming
      text = '';
      misbehave(socket, fault);
      fault = this.#meet();
    });
  }

  #meet(): Fault {
    const fault = this.#next();
    this.met.add(fault);
    return fault;
  }

  #count(text: string): void {
    const [, id = 'unknown'] = /^[A-Z]+ \S+\?call=(\S+) /.exec(text) ?? [];
    this.arrivals.set(id, (this.arrivals.get(id) ?? 0) + 1);
  }
}

function misbehave(socket: Socket, fault: Fault): void {
  switch (fault) {
    case 'reset before the answer':
      return void socket.resetAndDestroy();
    case 'closed before the answer':
      return void socket.destroy();
    case 'reset in the answer’s head':
      return void socket.write('HTTP/1.1 200 O', () => socket.resetAndDestroy());
    case 'reset in the answer’s body':
      return void socket.write(`${head(200, 100)}{"o`, () => socket.resetAndDestroy());
    case 'closed in the answer’s body':
      return void socket.end(`${head(200, 100)}{"o`);
    case 'answer cut, connection left open':
      return void socket.write(`${head(200, 100)}{"o`);
    case 'nonsense for an answer':
      return void socket.end('220 mail.example ESMTP\r\n');
    case '500':
    case '502':
    case '503':
      return void socket.write(`${head(Number(fault), 2)}{}`);
    case 'answered, then closed':
      return void socket.end(done);
    case 'answered':
    case 'reset as the connection opens': // happened before
    case 'reset at the first bytes':
      return void socket.write(done);
  }
}

/** Repeatable: the same seed makes the same faults in the same order of requests. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const common = {
  path: '/api/v1/accounting/things',
  summary: 'Faulty.',
  access: 'public',
  query: z.strictObject({ call: z.string() }),
  replies: { 200: z.strictObject({ ok: z.boolean() }) },
} as const;
const post = endpoint({ ...common, method: 'POST', body: z.strictObject({ filler: z.string() }) });
const get = endpoint({ ...common, method: 'GET' });

const calls = 600;

describe('whatever breaks, and wherever it breaks', () => {
  it('a POST without a key reaches a service once at most, one with a key and a GET three times at most', async () => {
    const random = seeded(20_261_120);
    const server = new FaultyServer(() => {
      const pick = Math.floor(random() * faults.length * 2); // half of the requests are answered
      return faults[pick] ?? 'answered';
    });
    const port = await server.start();
    const nobody = new FaultyServer(() => 'answered');
    const freed = await nobody.start();
    await nobody.stop();
    const registry = new TestRegistry();
    const at = { service: 'accounting', host: '127.0.0.1', version: '1' };
    const faulty = { ...at, id: 'faulty', port };
    registry.set(faulty, { ...at, id: 'gone', port: freed });
    const metrics = createMetrics('shop');
    const client = createServiceClient({
      registry,
      metrics,
      service: 'shop',
      log: createLog({ service: 'shop', level: 'silent' }),
      // Out of the way: every call shall meet a fault, and every retry that is safe shall be made.
      breaker: { failurePercent: 101 },
      retryBudget: { share: 3, reserve: 1_000 },
    });

    const outcomes = { done: 0, failed: 0 };
    const one = async (n: number) => {
      const kind = (['plain', 'keyed', 'get'] as const)[n % 3] ?? 'plain';
      const query = { call: `${kind}-${n}` };
      const deadlineAt = Date.now() + 1_000;
      const body = { filler: 'x'.repeat(n % 2 === 0 ? 10 : 300_000) };
      const key = kind === 'keyed' ? { idempotencyKey: `key-${n}` } : {};
      try {
        if (kind === 'get') await client.call(get, { query, deadlineAt });
        else await client.call(post, { query, body, deadlineAt, ...key });
        outcomes.done += 1;
      } catch {
        outcomes.failed += 1;
      }
    };
    let next = 0;
    const lane = async () => {
      while (next < calls) {
        if (next === calls / 4) registry.set(faulty); // from here on each retry meets a fault as well
        await one(next++);
      }
    };
    await Promise.all(Array.from({ length: 16 }, lane));
    await client.close();
    await server.stop();

    const most = (kind: string) =>
      Math.max(...[...server.arrivals].filter(([id]) => id.startsWith(kind)).map(([, times]) => times));
    expect(most('plain')).toBe(1);
    expect(most('keyed')).toBeLessThanOrEqual(3);
    expect(most('get')).toBeLessThanOrEqual(3);
    // The faults and the retries were really there, or the lines above would say nothing.
    expect([...server.met].toSorted()).toEqual(faults.toSorted());
    expect(server.arrivals.has('unknown')).toBe(false);
    expect(most('keyed')).toBeGreaterThan(1);
    expect(most('get')).toBeGreaterThan(1);
    expect(outcomes.done).toBeGreaterThan(calls / 6);
    expect(outcomes.failed).toBeGreaterThan(calls / 6);
    expect(await metrics.render()).toMatch(/client_retries_total\{target="accounting",reason="not-sent",/);
  });
});
