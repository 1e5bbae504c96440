import { createHmac, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { TooManyRequests } from '@marimo/contracts';
import bcrypt from 'bcrypt';

export interface HasherOptions {
  /** The installation's password key; see `store.ts` for what it is and is not. */
  readonly key: () => Promise<Buffer>;
  /** bcrypt's work factor; 12 unless a test says less. */
  readonly cost?: number;
  /** Hashes at work at once. bcrypt runs on libuv's four threads, which files and names need too. */
  readonly concurrency?: number;
  /** Hashes that may wait for their turn; one more is refused. */
  readonly waiting?: number;
}

export interface PasswordHasher {
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /** Without a stored hash it works as long and answers false, so that time does not tell who has an account. */
  matches(password: string, stored: string | undefined, signal?: AbortSignal): Promise<boolean>;
}

/**
 * bcrypt over the base64 of an HMAC-SHA-256 of the NFC text: bcrypt alone ignores all past 72 bytes, which are
 * 36 Cyrillic letters.
 *
 * Errors: TooManyRequests when too many wait already; the signal's reason when the caller has gone meanwhile.
 */
export function createHasher({
  key,
  cost = 12,
  concurrency = threads(),
  waiting = 64,
}: HasherOptions): PasswordHasher {
  const gate = createGate(concurrency, waiting);
  const nobody = `${bcrypt.genSaltSync(cost)}${'.'.repeat(31)}`;

  async function digest(password: string): Promise<string> {
    return createHmac('sha256', await key())
      .update(password.normalize('NFC'))
      .digest('base64');
  }

  return {
    async hash(password, signal) {
      const text = await digest(password);
      return gate(() => bcrypt.hash(text, cost), signal);
    },
    async matches(password, stored, signal) {
      const text = await digest(password);
      return gate(() => bcrypt.compare(text, stored ?? nobody), signal);
    },
  };
}

export function newPasswordKey(): Buffer {
  return randomBytes(32);
}

/** Leaves one of the four threads, and where there are many cores one core, to everything else. */
function threads(): number {
  return Math.min(3, Math.max(2, availableParallelism() - 1));
}

/** First come, first served; a flood of logins waits or is turned away instead of starving the process. */
function createGate(concurrency: number, waiting: number) {
  let running = 0;
  const queue: (() => void)[] = [];

  return async function pass<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (running >= concurrency) {
      if (queue.length >= waiting) throw new TooManyRequests({ limit: waiting }, { retryAfterSeconds: 5 });
      // The place is handed over, never freed in between, so nobody can overtake.
      await new Promise<void>((resolve) => queue.push(resolve));
    } else {
      running += 1;
    }
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      const next = queue.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
