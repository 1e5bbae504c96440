import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findBinary } from '@marimo/testing/outside';
import autocannon from 'autocannon';
import { loadCore, onCore } from './cores.ts';

export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
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
export function closedLoop(load: Load): Promise<Measured> {
  return loadMaker === 'wrk' ? byWrk(load) : byAutocannon(load);
}

/** At a given rate; a late answer counts from when its request was due. */
export function openLoop(load: Load, perSecond: number): Promise<Measured> {
  return byAutocannon(load, Math.round(perSecond));
}

async function byAutocannon(load: Load, overallRate?: number): Promise<Measured> {
  const result = await autocannon({
    url: load.url,
    headers: { ...load.headers },
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

async function byWrk({ url, headers, connections, seconds }: Load): Promise<Measured> {
  const given = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
  const size = ['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`];
  const [program = '', ...args] = onCore(loadCore, ['wrk', ...size, '--latency', ...given, url]);
  const { stdout } = await promisify(execFile)(program, args);
  refuseFailures(Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0));
  refuseFailures(Number(/Socket errors:.*timeout (\d+)/.exec(stdout)?.[1] ?? 0));
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
    p50Ms: milliseconds(/50%\s+(\S+)/.exec(stdout)?.[1]),
    p99Ms: milliseconds(/99%\s+(\S+)/.exec(stdout)?.[1]),
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
