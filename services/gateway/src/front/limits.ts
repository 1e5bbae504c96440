/** What one client may take of the front's time and memory. */
export interface FrontLimits {
  /** For the whole head of a request, for a TLS handshake, and for the first request of an HTTP/2 connection. */
  readonly headMs: number;
  /** A connection on which nothing is asked is closed after this. */
  readonly idleMs: number;
  /** What is written for a client and not taken is given up after this, with its connection or stream. */
  readonly stallMs: number;
  /** Streams an HTTP/2 client may have open at once. */
  readonly streams: number;
  /** Streams an HTTP/2 client may cancel at once, and per second in the long run. */
  readonly resets: { readonly burst: number; readonly perSecond: number };
  /** PING and SETTINGS frames an HTTP/2 client may send at once, and per second in the long run. */
  readonly controlFrames: { readonly burst: number; readonly perSecond: number };
}

export const limitsUnlessTold: FrontLimits = {
  headMs: 10_000,
  idleMs: 75_000, // longer than the load balancers in front keep theirs
  stallMs: 60_000,
  streams: 100,
  resets: { burst: 200, perSecond: 20 }, // a browser that leaves a page cancels what it was loading
  controlFrames: { burst: 50, perSecond: 5 },
};
