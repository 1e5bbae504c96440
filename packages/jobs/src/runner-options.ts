import type { JobsContract } from '@marimo/contracts';
import type { Outbox, Wake } from '@marimo/messaging';
import type { Log, Metrics } from '@marimo/observability';
import type { Database, TenantTransaction } from '@marimo/postgres';
import type { HeldJob } from './claim-store.ts';
import type { JobKind, Progress } from './job-kind.ts';

/** The files of the service, as far as jobs leave some. */
export interface ResultFiles {
  attach(tx: TenantTransaction, fileId: string, owner: FileOwner): Promise<void>;
  detach(tx: TenantTransaction, owner: FileOwner): Promise<void>;
}
interface FileOwner {
  readonly kind: string;
  readonly id: string;
}

export interface JobRunnerOptions<Deps> {
  readonly service: string;
  readonly contract: JobsContract;
  readonly kinds: readonly JobKind<Deps>[];
  readonly deps: Deps;
  readonly database: Database;
  /** The same database as its relay: it sees of every organisation that jobs wait, and not what they are. */
  readonly relayDatabase: Database;
  readonly outbox: Outbox;
  /** A job keeps the file it returns from its end until it is deleted, both in the same transaction. */
  readonly files: ResultFiles;
  readonly wake: Wake;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: () => Date;
  /** Jobs of this process at once; default 4. One organisation has at most all but one of them. */
  readonly atOnce?: number;
  /** How often progress is written, leases are extended and cancelling is noticed; default 1,000. */
  readonly beatMs?: number;
  /** How long a job stays with a process that has gone silent; default 15,000. */
  readonly leaseMs?: number;
  /** How long a job waits before it is tried again, by attempt; default 10 s, doubling. */
  readonly retryDelayMs?: (attempt: number) => number;
}

/** A job in the hands of this process. */
export interface JobInHand extends HeldJob {
  readonly controller: AbortController;
  progress: Progress | undefined;
  told: Progress | undefined;
}
