import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FrontServer } from '@marimo/service-kit';
import type { Passage } from '../passage.ts';
import type { Certificate } from './certificate.ts';
import type { FrontLimits } from './limits.ts';

export interface FrontParts {
  readonly handle: (passage: Passage) => Promise<void>;
  readonly upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Called once a request is over, however it ended. */
  readonly record: (passage: Passage) => void;
  readonly draining: () => boolean;
  readonly fail: (passage: Passage, thrown: unknown) => void;
  /** With one the front speaks TLS, with HTTP/2 and HTTP/1.1 inside; without it plain HTTP/1.1. */
  readonly certificate?: Certificate | undefined;
  /** For tests. */
  readonly limits?: Partial<FrontLimits> | undefined;
}

export interface Front {
  readonly server: FrontServer;
  /** Tells clients of long connections to take their next request elsewhere. */
  drain(): void;
  close(): void;
}
