import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyEndpoint } from '@marimo/contracts';
import { accounts } from '@marimo/contracts/accounting';
import { type identity, sessions } from '@marimo/contracts/users';
import { runningEmbeddedServer, type ServerAddress } from '@marimo/postgres';
import { Pool } from 'undici';
import { freshMachine, startPlatformProcess } from '../../scripts/start/platform-under-test.ts';

export const password = 'Quite-Long-And-Odd-7';

/** The administrator of an organisation, at work. */
export interface Person {
  readonly email: string;
  session: identity.SignedIn;
}

interface Sent {
  readonly search?: string;
  readonly token?: string;
  /** JSON, or with a `contentType` as it is. */
  readonly body?: unknown;
  readonly contentType?: string;
}

/** The body of an answer; throws when it is a refusal. */
export type Ask = <Reply>(endpoint: Pick<AnyEndpoint, 'method' | 'path'>, sent?: Sent) => Promise<Reply>;

/** All services and workers in one process behind the gateway, with their database, as `npm start` gives them. */
export interface PlatformAtWork {
  readonly ask: Ask;
  readonly pid: number;
  readonly server: ServerAddress;
  stop(): Promise<void>;
}

/** Everybody comes from one address here, so its limits are raised. */
const limitsOf = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [`RATE_LIMIT_${name}`, '100000/s']));

/** `raised` are the limits, by the names of their settings, that would stand in the way of the load. */
export async function startPlatformAtWork(raised: readonly string[]): Promise<PlatformAtWork> {
  const started = new AsyncDisposableStack();
  try {
    const machine = await freshMachine();
    started.defer(() => machine.remove());
    const platform = await startPlatformProcess({ ...machine, env: limitsOf(raised) });
    started.defer(async () => void (await platform.interrupt()));
    const server = await runningEmbeddedServer(join(machine.home, 'postgres'));
    if (server === undefined) throw new Error('The embedded database is not where it was expected');
    const pool = new Pool(platform.origin, { connections: 64, headersTimeout: 0, bodyTimeout: 0 });
    started.defer(() => pool.close());
    return {
      ask: askThrough(pool),
      pid: platform.child.pid as number,
      server: { ...server, database: 'marimo' },
      stop: () => started.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

function askThrough(pool: Pool): Ask {
  return async ({ method, path }, { search = '', body, token, contentType = 'application/json' } = {}) => {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': contentType }),
    };
    const text = body === undefined || typeof body === 'string' ? (body ?? null) : JSON.stringify(body);
    const answer = await pool.request({ method, path: path + search, headers, body: text });
    const replied = await answer.body.text();
    if (answer.statusCode >= 300)
      throw new Error(`${method} ${path}: ${answer.statusCode} ${replied.slice(0, 300)}`);
    return JSON.parse(replied);
  };
}

/** Somebody who has registered an organisation and made its accounts. */
export async function founderOf(
  ask: Ask,
  organisation: string,
  accountCodes: readonly string[],
): Promise<Person> {
  const email = `founder@${organisation}.example`;
  const person = { name: 'Anna Petrova', email, password };
  const body = { organisation, baseCurrency: 'RUB', language: 'en', ...person };
  const session = await ask<identity.SignedIn>(sessions.register, { body });
  const token = session.accessToken;
  for (const code of accountCodes)
    await ask(accounts.create, { token, body: { code, name: `Account ${code}`, type: 'asset' } });
  return { email, session };
}

export interface Taken<T> {
  readonly result: T;
  readonly ms: number;
}

/** Does the work at random moments, so many a second, and waits for nobody; a late answer counts from when it was due. */
export async function atRate<T>(
  perSecond: number,
  seconds: number,
  work: (turn: number) => Promise<T>,
): Promise<Taken<T>[]> {
  const taken: Promise<Taken<T>>[] = [];
  const time = async (due: number) => {
    const result = await work(taken.length);
    return { result, ms: performance.now() - due };
  };
  const endsAt = performance.now() + seconds * 1_000;
  for (let due = performance.now(); due < endsAt; due += (-Math.log(1 - Math.random()) * 1_000) / perSecond) {
    const ahead = due - performance.now();
    if (ahead > 1) await sleep(ahead);
    taken.push(time(due));
  }
  return Promise.all(taken);
}

/** The value that the given part of them does not exceed. */
export function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * part) - 1] ?? Number.NaN;
}

/** What the process holds in memory now, and at the most so far, in megabytes. */
export function memoryOf(pid: number): { readonly now: number; readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024);
  return { now: megabytes('VmRSS'), most: megabytes('VmHWM') };
}
