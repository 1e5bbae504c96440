import type { Log } from '@marimo/observability';
import { Redis } from 'ioredis';
import { type ScriptCommands, scripts } from './redis-scripts.ts';

export interface RedisLinkOptions {
  /** `host:port`, or a `redis://` or `rediss://` (TLS) URL with an optional user, password and database number. */
  readonly address: string;
  readonly password: string | undefined;
  /** How long a call may wait for its answer: 100 unless told, for whoever waits longer would do better without. */
  readonly timeoutMs?: number;
  readonly name: string;
  readonly log: Log;
  /** Told at each change. */
  readonly report?: (isUp: boolean) => void;
}

export type Commands = Redis & ScriptCommands;

/** Stands for an answer that the store could not give. */
export const away: unique symbol = Symbol('the store is away');

const failuresUntilPause = 5;
const pauseMs = 1_000;

/**
 * One connection to a Redis that may be away. A call gets its answer or `away`: at once while there is no connection,
 * within the timeout when there is; and after five failures in a row one call a second asks, so that a Redis which
 * accepts and never answers costs nothing either.
 */
export class RedisLink {
  /** Resolves once it is known, for the first time, whether Redis is there. */
  readonly opened: Promise<void>;
  readonly #opened: () => void;
  readonly #redis: Commands;
  readonly #log: Log;
  readonly #report: (isUp: boolean) => void;
  readonly #prepare: ((redis: Commands) => Promise<unknown>)[] = [];
  #isReady = false;
  #failures = 0;
  #pausedUntil = 0;
  #awaySince: number | undefined;

  constructor(options: RedisLinkOptions) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.opened = promise;
    this.#opened = resolve;
    this.#log = options.log.with({ store: options.name });
    this.#report = options.report ?? (() => undefined);
    this.#redis = new Redis(redisOptions(options)) as Commands;
    this.#redis.on('ready', () => void this.#connected());
    this.#redis.on('close', () => this.#disconnected());
    this.#redis.on('error', (error: unknown) => this.#isAway(error));
  }

  get isUsable(): boolean {
    return this.#isReady && performance.now() >= this.#pausedUntil;
  }

  async ask<T>(work: (redis: Commands) => Promise<T>): Promise<T | typeof away> {
    await this.opened;
    if (!this.isUsable) return away;
    // After a pause one asks, and everybody else goes on alone until that one has its answer: were all to ask, a slow
    // Redis would make a tenth of the calls wait.
    if (this.#failures >= failuresUntilPause) this.#pausedUntil = performance.now() + pauseMs;
    try {
      const answer = await work(this.#redis);
      this.#failures = 0;
      this.#pausedUntil = 0;
      if (this.#awaySince !== undefined) this.#isBack();
      return answer;
    } catch (error) {
      if (++this.#failures >= failuresUntilPause) {
        this.#pausedUntil = performance.now() + pauseMs;
        this.#isAway(error);
      }
      return away;
    }
  }

  /** The work runs on each new connection before anybody else may use it. */
  onConnected(work: (redis: Commands) => Promise<unknown>): void {
    this.#prepare.push(work);
  }

  onMessage(listener: (channel: string, message: string) => void): void {
    this.#redis.on('message', listener);
  }

  /** Begins again with a new connection. */
  renew(): void {
    if (!this.#isReady) return;
    this.#isReady = false;
    this.#redis.disconnect(true);
  }

  async close(): Promise<void> {
    this.#isReady = false;
    this.#opened();
    const hasConnection = ['connect', 'ready'].includes(this.#redis.status);
    const closed = new Promise((resolve) => this.#redis.once('close', resolve));
    this.#redis.disconnect();
    if (hasConnection) await closed;
  }

  async #connected(): Promise<void> {
    try {
      for (const work of this.#prepare) await work(this.#redis);
    } catch (error) {
      this.#isAway(error);
      return this.#redis.disconnect(true);
    }
    this.#isReady = this.#redis.status === 'ready';
    this.#failures = 0;
    this.#pausedUntil = 0;
    this.#isBack();
  }

  #disconnected(): void {
    this.#isReady = false;
    this.#report(false);
  }

  #isBack(): void {
    if (this.#awaySince !== undefined) {
      this.#log.info('the store is back', { awayMs: Math.round(performance.now() - this.#awaySince) });
    }
    this.#awaySince = undefined;
    this.#report(true);
    this.#opened();
  }

  #isAway(error: unknown): void {
    this.#report(false);
    this.#opened();
    if (this.#awaySince !== undefined) return;
    this.#awaySince = performance.now();
    this.#log.warn('the store is away; each process decides for itself', { error });
  }
}

function redisOptions({ address, password, name, timeoutMs = 100 }: RedisLinkOptions) {
  return {
    ...parseAddress(address, password),
    connectionName: `marimo-${name}`,
    keyPrefix: 'marimo:',
    scripts,
    // Commands that waited for a connection would come too late, and those sent again could count twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 1_000,
    commandTimeout: timeoutMs,
    // A connection that died without a word is given up after this long without an answer.
    socketTimeout: timeoutMs * 5,
    disconnectTimeout: 200,
    retryStrategy: (tries: number) =>
      Math.min(2_000, 50 * 2 ** Math.min(tries, 10)) * (0.5 + Math.random() / 2),
    // A failover leaves us at what is now a replica; its address finds the new primary.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
}

export function parseAddress(address: string, password: string | undefined) {
  const url = new URL(address.includes('://') ? address : `redis://${address}`);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1'); // URLs put IPv6 addresses in brackets
  const secret = password ?? decodeURIComponent(url.password);
  return {
    host,
    port: Number(url.port || 6379),
    db: Number(url.pathname.slice(1) || 0),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(secret === '' ? {} : { password: secret }),
    ...(url.protocol === 'rediss:' ? { tls: { servername: host } } : {}),
  };
}
