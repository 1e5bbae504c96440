import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FrontServer } from '@marimo/service-kit';
import type { ProxiedRequest } from '../proxied-request.ts';
import type { Certificate } from './certificate.ts';
import type { FrontLimits } from './limits.ts';

export interface FrontParts {
  readonly handle: (proxied: ProxiedRequest) => Promise<void>;
  readonly upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Called once a request is over, however it ended. */
  readonly record: (proxied: ProxiedRequest) => void;
  readonly draining: () => boolean;
  readonly fail: (proxied: ProxiedRequest, thrown: unknown) => void;
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
