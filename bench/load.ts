import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findBinary } from '@marimo/testing/outside';
import autocannon from 'autocannon';
import { loadCore, onCore } from './cores.ts';

export interface Load {
  readonly url: string;
  /** Of each client; requests take them in turn. */
  readonly clients: readonly Readonly<Record<string, string>>[];
  readonly connections: number;
  readonly seconds: number;
}

export interface Measured {
  readonly perSecond: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const loadMaker = findBinary('wrk') === undefined ? 'autocannon' : 'wrk';

/** As fast as answers come back: each connection sends its next request when the last is answered. */
export function atFullSpeed(load: Load): Promise<Measured> {
  return loadMaker === 'wrk' ? byWrk(load) : byAutocannon(load);
}

/** About so many a second: each connection waits a random time, as people do, before it sends its next request. */
export function atRate(load: Load, perSecond: number): Promise<Measured> {
  return loadMaker === 'wrk' ? byWrk(load, perSecond) : byAutocannon(load, Math.round(perSecond));
}

async function byAutocannon(load: Load, overallRate?: number): Promise<Measured> {
  const result = await autocannon({
    url: load.url,
    requests: load.clients.map((headers) => ({ headers: { ...headers } })),
    connections: load.connections,
    duration: load.seconds,
    ...(overallRate === undefined ? {} : { overallRate }),
  });
  refuseFailures(result.non2xx + result.errors + result.timeouts);
  return {
    perSecond: result.requests.average,
    requests: result.requests.total,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  };
}

async function byWrk(load: Load, perSecond?: number): Promise<Measured> {
  const { url, connections, seconds } = load;
  const directory = await mkdtemp(join(tmpdir(), 'marimo-load-'));
  try {
    const script = join(directory, 'load.lua');
    await writeFile(script, scriptOf(load, perSecond));
    const size = ['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`];
    const [program = '', ...args] = onCore(loadCore, ['wrk', ...size, '--latency', '--script', script, url]);
    return resultOf((await promisify(execFile)(program, args)).stdout);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** What wrk runs before each request. The pauses of independent people are distributed exponentially. */
function scriptOf({ clients, connections }: Load, perSecond: number | undefined): string {
  const headers = clients.map((client) => {
    const pairs = Object.entries(client).map(
      ([name, value]) => `[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
    );
    return `{ ${pairs.join(', ')} }`;
  });
  const pause =
    perSecond === undefined
      ? ''
      : `function delay() return math.floor(-math.log(1 - math.random()) * ${(1_000 * connections) / perSecond} + 0.5) end`;
  return `
    local clients, requests, turn = { ${headers.join(',\n')} }, {}, 0
    function init()
      for place, headers in ipairs(clients) do requests[place] = wrk.format('GET', wrk.path, headers) end
    end
    function request()
      turn = turn % #requests + 1
      return requests[turn]
    end
    ${pause}`;
}

function resultOf(report: string): Measured {
  refuseFailures(Number(/Non-2xx or 3xx responses: (\d+)/.exec(report)?.[1] ?? 0));
  refuseFailures(Number(/Socket errors:.*timeout (\d+)/.exec(report)?.[1] ?? 0));
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1]),
    requests: Number(/(\d+) requests in/.exec(report)?.[1]),
    p50Ms: milliseconds(/^ +50%\s+(\S+)/m.exec(report)?.[1]),
    p99Ms: milliseconds(/^ +99%\s+(\S+)/m.exec(report)?.[1]),
  };
}

/** The speed of failures is no figure. */
function refuseFailures(count: number): void {
  if (count > 0) throw new Error(`${count} requests of the benchmark failed`);
}

/** wrk writes `812.00us`, `1.07ms` or `1.20s`. */
function milliseconds(text = ''): number {
  const [, number, unit] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  const factor = { us: 0.001, ms: 1, s: 1_000 }[unit as 'us' | 'ms' | 's'];
  return Number(number) * factor;
}
