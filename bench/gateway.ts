import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accounts } from '@marimo/contracts/accounting';
import { freePorts, type PrivateProcess, startRedis } from '@marimo/testing/outside';
import { canPin, cpuSeconds, loadCore, measuredCore, startOnCore } from './cores.ts';
import { standInForUsers } from './gateway/stand-in-for-users.ts';
import { atFullSpeed, atRate, type Load, loadMaker } from './load.ts';
import { answeringNginx, proxyingNginx } from './nginx.ts';
import type { Result } from './result.ts';

const rounds = 3;
const connections = 64;
const seconds = 4;
/** So many that none comes near the limits of a person. */
const people = 1_000;
/** Of nginx, that a gateway must reach; and at half of that its answers must still be quick. */
const wanted = 1 / 3;

interface Candidate {
  readonly name: string;
  readonly port: number;
  readonly process: PrivateProcess;
}

interface Round {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly cpuMicroseconds: number;
}

/** The gateway with all its policies against two proxies with none, each on a core of its own. */
export async function run(): Promise<Result> {
  const started = new AsyncDisposableStack();
  try {
    const users = await standInForUsers(people);
    started.defer(async () => users.close());
    const clients = users.accessTokens.map((token) => ({ authorization: `Bearer ${token}` }));
    const candidates = await startCandidates(users.port, clients[0] ?? {}, started);
    const loadOf = ({ port }: Candidate): Load => ({
      url: `http://127.0.0.1:${port}${accounts.list.path}`,
      clients,
      connections,
      seconds,
    });

    for (const candidate of candidates) await atFullSpeed({ ...loadOf(candidate), seconds: 2 }); // warm
    const figures = new Map(candidates.map((candidate) => [candidate, [] as Round[]]));
    for (let round = 0; round < rounds; round++) {
      // In turns, so that what else the machine does meets all of them alike.
      for (const [candidate, rounds] of figures) rounds.push(await measure(candidate, loadOf(candidate)));
    }
    const [ofNginx] = figures.values();
    const halfLoad = (median(ofNginx ?? []).perSecond * wanted) / 2;
    const rows = [];
    for (const [candidate, taken] of figures) {
      const atHalf = await atRate(loadOf(candidate), halfLoad);
      rows.push({
        name: candidate.name,
        ...median(taken),
        p50AtHalfLoadMs: atHalf.p50Ms,
        p99AtHalfLoadMs: atHalf.p99Ms,
      });
    }
    return report(rows, halfLoad);
  } finally {
    await started.disposeAsync();
  }
}

async function startCandidates(
  usersPort: number,
  headers: Readonly<Record<string, string>>,
  started: AsyncDisposableStack,
): Promise<Candidate[]> {
  const upstream = await answeringNginx(loadCore, JSON.stringify({ items: ['x'.repeat(275)], next: null }));
  started.defer(() => upstream.process.stop());
  const home = await mkdtemp(join(tmpdir(), 'marimo-bench-'));
  started.defer(() => rm(home, { recursive: true, force: true }));
  const redis = await startRedis();
  started.defer(() => redis.stop());

  const nginx = await proxyingNginx(measuredCore, upstream.port);
  started.defer(() => nginx.process.stop());
  const gatewayEnv = {
    MARIMO_HOME: home,
    GATEWAY_OPERATOR_PORT: '0',
    USERS_PORT: String(usersPort),
    ACCOUNTING_PORT: String(upstream.port),
    RATE_LIMIT_ADDRESS: '9999999/s', // all people come from one here
  };
  const nodeProxy = async (name: string, main: URL, portName: string, env: Record<string, string>) => {
    const [port] = (await freePorts(1)) as [number];
    const process = await startOnCore(measuredCore, [globalThis.process.execPath, fileURLToPath(main)], {
      env: { NODE_ENV: '', ...env, [portName]: String(port) },
      isReady: async () => {
        const url = `http://127.0.0.1:${port}${accounts.list.path}`;
        return (await fetch(url, { headers })).ok;
      },
    });
    started.defer(() => process.stop());
    return { name, port, process };
  };
  const gateway = new URL('../services/gateway/main.ts', import.meta.url);
  const express = new URL('./gateway/express-proxy.ts', import.meta.url);
  return [
    { name: 'nginx, bare proxy', port: nginx.port, process: nginx.process },
    await nodeProxy('gateway, limits in memory', gateway, 'GATEWAY_PORT', gatewayEnv),
    await nodeProxy('gateway, limits in Redis', gateway, 'GATEWAY_PORT', {
      ...gatewayEnv,
      REDIS_ADDR: redis.address,
    }),
    await nodeProxy('Express, http-proxy-middleware', express, 'PORT', {
      UPSTREAM_URL: upstream.url,
      NODE_ENV: 'production',
    }),
  ];
}

async function measure({ process }: Candidate, load: Load): Promise<Round> {
  const before = cpuSeconds(process.pid);
  const { perSecond, requests, p99Ms } = await atFullSpeed(load);
  return { perSecond, p99Ms, cpuMicroseconds: ((cpuSeconds(process.pid) - before) * 1_000_000) / requests };
}

function median(rounds: readonly Round[]): Round {
  const middle = (pick: (round: Round) => number) =>
    rounds.map(pick).sort((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? Number.NaN;
  return {
    perSecond: middle((round) => round.perSecond),
    p99Ms: middle((round) => round.p99Ms),
    cpuMicroseconds: middle((round) => round.cpuMicroseconds),
  };
}

function report(
  rows: readonly (Round & { name: string; p50AtHalfLoadMs: number; p99AtHalfLoadMs: number })[],
  halfLoad: number,
): Result {
  const nginx = rows[0];
  return {
    title: `Gateway: one GET of 300 bytes for ${people} people over ${connections} connections, each proxy on one core`,
    rows: rows.map((row) => ({
      proxy: row.name,
      'requests/s': Math.round(row.perSecond),
      'of nginx': nginx === undefined ? '' : (row.perSecond / nginx.perSecond).toFixed(2),
      'CPU µs/request': row.cpuMicroseconds.toFixed(1),
      'of nginx by CPU': nginx === undefined ? '' : (nginx.cpuMicroseconds / row.cpuMicroseconds).toFixed(2),
      'p99 ms': row.p99Ms.toFixed(1),
      'p50 ms at half load': row.p50AtHalfLoadMs,
      'p99 ms at half load': row.p99AtHalfLoadMs,
    })),
    notes: [
      `Median of ${rounds} rounds in turns; load by ${loadMaker} from the core of the upstream.`,
      `Half load is ${Math.round(halfLoad)} requests/s for each: half of a third of nginx, at random moments.`,
      'nginx is often limited by that core, so its own processor time is the fairer measure.',
      ...(canPin
        ? []
        : ['Processes could not be kept to cores here: the load took part of what it measured.']),
    ],
  };
}
