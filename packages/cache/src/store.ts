/** At most `burst` at once and `perSecond` in the long run. */
export interface BucketLimit {
  readonly perSecond: number;
  readonly burst: number;
}

export interface BucketLevel {
  /** Whole tokens left. */
  readonly remaining: number;
  /** Milliseconds until as many could be taken again; 0 when they could now. */
  readonly retryAfterMs: number;
}

interface Decision {
  readonly allowed: boolean;
  /** `local` when the shared store was away and this process's own share decided. */
  readonly decidedBy: 'shared' | 'local';
}

export interface BucketAnswer extends BucketLevel, Decision {}

export interface BucketsAnswer extends Decision {
  /** In the order they were asked for. */
  readonly buckets: readonly BucketLevel[];
}

export interface WantedTokens {
  /** Its name. One call must not name a bucket twice. */
  readonly bucket: string;
  readonly limit: BucketLimit;
  /** One unless told; a negative number gives back what was taken before. */
  readonly tokens?: number;
}

export interface Lease {
  /** Grows with each holder; a write guarded by a lease checks it in PostgreSQL, because a lease alone protects nothing. */
  readonly fence: bigint;
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

export interface WrapOptions {
  readonly ttlMs: number;
  /** Names under which it can be dropped: `tenant:…`, `role:…`. */
  readonly tags?: readonly string[];
}

/**
 * What may be lost at any moment without harm: cached answers, counters, hints. Two adapters, `redis` and `memory`,
 * pass one conformance suite. No method ever fails because the store is away.
 */
export interface Cache {
  /** Cache-aside: the kept value, or what `load` gives; concurrent callers of one key share one load. Values are JSON. */
  wrap<T>(key: string, options: WrapOptions, load: () => Promise<T>): Promise<T>;
  drop(key: string): Promise<void>;
  dropTag(tag: string): Promise<void>;
  take(bucket: string, limit: BucketLimit, tokens?: number): Promise<BucketAnswer>;
  /**
   * Takes from every bucket, or from none when one of them has too little: who is turned away by one limit does not
   * use up the others. One round trip, one step.
   */
  takeAll(wanted: readonly WantedTokens[]): Promise<BucketsAnswer>;
  /** Null when somebody else holds it. */
  lease(name: string, ttlMs: number): Promise<Lease | null>;
  publish(channel: string, message: string): Promise<void>;
  /** At most once, and nothing from before; who must not miss a message polls as well. */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => void>;
  readonly connected: boolean;
  close(): Promise<void>;
}
