import type { Log } from '@marimo/observability';
import type { TenantTransaction } from '@marimo/postgres';
import type { z } from 'zod';

/** Who asked for a job, with the rights of that moment: the job may do what the person could ask for. */
export interface Asker {
  readonly userId: string;
  readonly roles: readonly string[];
  readonly grants: readonly string[];
}

export interface Progress {
  /** So many are done. */
  readonly done: number;
  /** Of so many; absent while that is not known. */
  readonly of?: number;
  /** What is being done, for people. */
  readonly message?: string;
}

/** A job at work. */
export interface JobRun<Input = unknown> {
  readonly jobId: string;
  readonly tenantId: string;
  readonly input: Input;
  readonly asker: Asker;
  /** Whether the asker had this right when they asked. */
  may(permission: string): boolean;
  /** 1 at first; more when an earlier attempt failed or its process ended. */
  readonly attempt: number;
  /** When it was due, if a schedule asked for it. */
  readonly scheduledFor: Date | null;
  /** Fires when the job is cancelled, when the service stops, or when another process has taken the job over. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Seen by people within a second. */
  progress(progress: Progress): void;
  /**
   * One transaction of the job's organisation. It commits only while this process holds the job: what was paused and has
   * been taken over meanwhile has no effect. A job that may be tried again does its work in steps that can be repeated.
   */
  inTenant<R>(work: (tx: TenantTransaction) => Promise<R>): Promise<R>;
}

export interface JobOutcome {
  /** Shown with the job; small. What is large is a file. */
  readonly result?: z.core.util.JSONType;
  /** A file of this service, which is kept as long as the job. */
  readonly fileId?: string;
}

/** A kind of work that a service does outside of requests. */
export interface JobKind<Deps = unknown, Input extends z.ZodType = z.ZodType> {
  /** `<service>.<what>`; never changed while jobs of it are waiting. */
  readonly kind: string;
  /** Checked when it is asked for and again when it runs: a newer version may meet the jobs of an older one. */
  readonly input: Input;
  /** How often it is tried when it fails with anything but a refusal. */
  readonly attempts: number;
  run(run: JobRun<z.output<Input>>, deps: Deps): Promise<JobOutcome>;
}

export function jobKind<Deps, Input extends z.ZodType>(
  definition: Omit<JobKind<Deps, Input>, 'attempts'> & { readonly attempts?: number },
): JobKind<Deps, Input> {
  return { attempts: 5, ...definition };
}
