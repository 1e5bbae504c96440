import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { memoryCache } from '@marimo/cache';
import { type AnyEndpoint, endpoint, Unauthenticated, Unavailable } from '@marimo/contracts';
import { permissions } from '@marimo/contracts/all';
import type { Instance, Registry } from '@marimo/discovery';
import { createLog, createMetrics, type Metrics } from '@marimo/observability';
import type { Caller, CallerVerifier, FrontServer } from '@marimo/service-kit';
import { z } from 'zod';
import { createGateway, type GatewayParts } from '../src/gateway.ts';
import { gatewaySettings } from '../src/settings.ts';

export const operatorToken = 'the-token-of-operators-in-tests';
export const megabyte = 1_048_576;
const replies = { 200: z.unknown() };

/** A made-up service that has one route of each kind. */
export const stock: readonly AnyEndpoint[] = [
  endpoint({ method: 'GET', path: '/api/v1/stock/open', summary: '', access: 'public', replies }),
  endpoint({ method: 'POST', path: '/api/v1/stock/open', summary: '', access: 'public', replies }),
  endpoint({ method: 'GET', path: '/api/v1/stock/things/{id}', summary: '', access: 'signed-in', replies }),
  endpoint({ method: 'PUT', path: '/api/v1/stock/things/{id}', summary: '', access: 'public', replies }),
  endpoint({
    method: 'POST',
    path: '/api/v1/stock/small',
    summary: '',
    access: 'public',
    bodyLimitBytes: 1_000,
    replies,
  }),
  endpoint({
    method: 'POST',
    path: '/api/v1/stock/import',
    summary: '',
    access: 'public',
    body: { stream: ['application/x-ndjson'] },
    bodyLimitBytes: 64 * megabyte,
    deadlineMs: 60_000,
    replies,
  }),
  endpoint({
    method: 'POST',
    path: '/api/v1/stock/hurried',
    summary: '',
    access: 'public',
    deadlineMs: 1_100,
    replies,
  }),
  endpoint({
    method: 'GET',
    path: '/api/v1/stock/hurried',
    summary: '',
    access: 'public',
    deadlineMs: 1_100,
    replies,
  }),
  endpoint({
    method: 'GET',
    path: '/api/v1/stock/patient',
    summary: '',
    access: 'public',
    deadlineMs: 300_000,
    replies,
  }),
];

export interface Upstream {
  readonly instance: Instance;
  readonly server: Server;
  /** Connections that are open now. */
  readonly sockets: Set<Socket>;
  readonly requests: { method: string; url: string; headers: Record<string, unknown> }[];
}

export interface GatewayUnderTest {
  readonly port: number;
  readonly server: FrontServer;
  readonly url: string;
  /** Where operators ask, up to the name of what they ask. */
  readonly operators: string;
  /** The sum of a metric's samples that have these labels. */
  measured(name: string, labels?: Record<string, string>): Promise<number>;
  readonly metrics: Metrics;
  readonly logged: Record<string, unknown>[];
  /** How many connections clients have to it. */
  connections(): Promise<number>;
  /** Discovery's news: these instances and no others. */
  announce(...instances: Instance[]): void;
  drain(): void;
  close(): Promise<void>;
}

const open: { close(): Promise<void> }[] = [];

/** Closes everything a test has started; for `afterEach`. */
export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((thing) => thing.close()));
}

export async function upstream(listener: RequestListener, service = 'stock'): Promise<Upstream> {
  const sockets = new Set<Socket>();
  const requests: Upstream['requests'] = [];
  const server = createServer({ keepAliveTimeout: 70_000 }, (req, res) => {
    requests.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers });
    listener(req, res);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listening(server);
  const close = async () => {
    for (const socket of sockets) socket.destroy(); // upgraded ones are no longer the server's
    await closed(server);
  };
  open.push({ close });
  return { instance: instanceAt(port, service), server, sockets, requests };
}

export function instanceAt(port: number, service = 'stock'): Instance {
  return { id: `${service}-127.0.0.1-${port}`, service, host: '127.0.0.1', port, version: '1' };
}

export interface Options extends Partial<Omit<GatewayParts, 'settings' | 'metrics' | 'log'>> {
  readonly env?: Record<string, string>;
}

/** What the limits are for is tested where they are set; elsewhere they are in nobody's way. */
const ampleLimits = {
  RATE_LIMIT_CALLER: '9999/s',
  RATE_LIMIT_USER: '9999/s',
  RATE_LIMIT_ADDRESS: '9999/s',
  SHED_LOOP_DELAY_MS: '60000', // a busy machine is not an overload
};

export async function gatewayTo(
  instances: readonly Instance[],
  options: Options = {},
): Promise<GatewayUnderTest> {
  const { registry, announce } = registryOf(instances);
  const metrics = createMetrics('gateway');
  const logged: Record<string, unknown>[] = [];
  const { env = {}, ...parts } = options;
  const own = createGateway({
    settings: gatewaySettings({ ...ampleLimits, ...env }),
    contracts: { stock },
    permissions,
    operators: { port: 0, host: '127.0.0.1', token: operatorToken, canary: [] },
    home: undefined,
    host: '127.0.0.1',
    clock: () => new Date(),
    sockets: [],
    registry,
    cache: memoryCache(),
    verifier: testVerifier,
    client: noUsers,
    sharedMetrics: async () => 'shared_parts 1',
    version: '1.2.3',
    metrics,
    log: createLog({ service: 'gateway', write: (line) => logged.push(JSON.parse(line)) }),
    ...parts,
  });
  const { server } = own;
  await own.open?.();
  const port = await listening(server);
  const drain = () => own.drain();
  const gateway = {
    port,
    server,
    url: `${options.certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    operators: `http://127.0.0.1:${own.operators.address?.port}/internal/gateway`,
    metrics,
    measured: async (name: string, labels: Record<string, string> = {}) => {
      const samples = (await metrics.render()).split('\n').filter((line) => line.startsWith(`${name}{`));
      const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      const found = samples.filter((line) => wanted.every((label) => line.includes(label)));
      return found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    logged,
    connections: () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count))),
    announce,
    drain,
    close: async () => {
      drain();
      await closed(server);
      await own.close();
    },
  };
  open.push(gateway);
  return gateway;
}

export async function listening(server: FrontServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function closed(server: FrontServer): Promise<void> {
  const done = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await done;
}

/** `Bearer good-<session>` is a caller, `Bearer good-program-<key>` a program; everything else is not. */
export const testVerifier: CallerVerifier = {
  async verify(token) {
    if (!token.startsWith('good-')) throw new Unauthenticated({});
    const caller: Caller = {
      userId: '0190a000-0000-7000-8000-000000000001',
      tenantId: '0190a000-0000-7000-8000-000000000002',
      sessionId: token.slice(5),
      roles: [],
      grants: [],
      permissionsVersion: '1',
      authenticatedAt: token.startsWith('good-program-') ? undefined : new Date(),
      methods: token.startsWith('good-program-') ? [] : ['pwd'],
      bearer: token,
      may: () => true,
    };
    return caller;
  },
};

/** `users` is away, unless a test brings one. */
const noUsers: GatewayParts['client'] = {
  call: async () => {
    throw new Unavailable({ service: 'users' });
  },
};

function registryOf(first: readonly Instance[]) {
  let known = first;
  const listeners = new Set<(service: string) => void>();
  const registry: Registry = {
    register: async () => ({ withdraw: async () => {} }),
    instances: (service) => known.filter((instance) => instance.service === service),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ready: async () => {},
    ageSeconds: () => 0,
    source: () => 'registry',
    close: async () => {},
  };
  const announce = (...instances: Instance[]) => {
    const services = new Set([...known, ...instances].map(({ service }) => service));
    known = instances;
    for (const service of services) for (const listener of listeners) listener(service);
  };
  return { registry, announce };
}

export interface RawAnswer {
  readonly text: string;
  /** Of the first answer. */
  readonly status: number;
  /** How the connection ended; `open` when we were the one to end it. */
  readonly ended: 'closed' | 'reset' | 'open';
}

interface RawOptions {
  /** Hangs up once so many answers have come. */
  readonly answers?: number;
  /** Does not hang up at all. */
  readonly toTheEnd?: boolean;
}

const quietMs = 40;
const patienceMs = 25_000;

/** Sends bytes as they are and gives back what came. */
export function raw(
  port: number,
  text: string | Buffer,
  { answers = 1, toTheEnd = false }: RawOptions = {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    let ended: RawAnswer['ended'] = 'open';
    let quiet: NodeJS.Timeout | undefined;
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      clearTimeout(quiet);
      const came = received.match(/HTTP\/1\.1 [2-5]\d\d /g)?.length ?? 0;
      if (came >= answers && !toTheEnd) quiet = setTimeout(() => socket.destroy(), quietMs);
    });
    socket.on('error', () => {
      ended = 'reset';
    });
    socket.on('end', () => {
      ended = 'closed';
    });
    const patience = setTimeout(() => socket.destroy(), patienceMs);
    socket.on('close', () => {
      clearTimeout(quiet);
      clearTimeout(patience);
      resolve({ text: received, status: Number(received.slice(9, 12)), ended });
    });
    socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  });
}

interface Patience {
  /** Below the limit of the test, which could not say what was waited for. */
  readonly giveUpAfterMs?: number;
  /** What the failure shows: how far it came. */
  readonly seen?: () => unknown;
}

/** Resolves once it holds. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  { giveUpAfterMs = 55_000, seen = () => '' }: Patience = {},
): Promise<void> {
  const giveUpAt = performance.now() + giveUpAfterMs;
  for (let pauseMs = 1; performance.now() < giveUpAt; pauseMs = Math.min(50, pauseMs * 2)) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  throw new Error(`It never came to be: ${holds.toString()} ${JSON.stringify(await seen())}`);
}
