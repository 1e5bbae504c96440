import type { Cache } from '@marimo/cache';
import type { ActingService, ServiceName } from '@marimo/contracts';
import type { Registry } from '@marimo/discovery';
import type { ObjectStore, Quarantine } from '@marimo/files';
import type { Transport } from '@marimo/messaging';
import type { Log, Metrics, Tracing } from '@marimo/observability';
import type { Database, LoginRole } from '@marimo/postgres';
import type { ServiceClient, ServiceClientOptions } from '@marimo/resilience';
import type { ServiceDefinition } from '../service.ts';
import type { Settings } from '../settings/settings.ts';

/** What one service watches itself with. */
export interface Observed<Who extends ActingService = ServiceName> {
  readonly service: Who;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What the environment chose, shared by all services of a process. */
export interface Platform {
  readonly settings: Settings;
  readonly clock: () => Date;
  readonly registry: Registry;
  readonly cache: Cache;
  readonly transport: Transport;
  /** Where the bytes of all files lie. */
  readonly fileStore: ObjectStore;
  /** What looks at each file before anybody can read it. */
  readonly quarantine: Quarantine;
  /** What the shared parts measure, in the exposition format. */
  sharedMetrics(): Promise<string>;
  /** A log, a metrics registry and a tracer of its own for each service. */
  observe<Who extends ActingService>(service: Who): Observed<Who>;
  startTracing(service: ServiceName): Promise<Tracing>;
  /** Brings the schemas of these services up to date; a schema that is, costs nothing. */
  migrate(services: readonly ServiceDefinition[]): Promise<void>;
  openDatabase(of: Observed, role: LoginRole): Database;
  /** Calls others, where that is asked for as this service or as the operator. */
  client(of: Observed<ActingService>, breaker?: ServiceClientOptions['breaker']): ServiceClient;
  /** Resolves with the reason when a part is lost that nothing works without, such as the embedded server. */
  readonly lost: Promise<Error>;
  close(): Promise<void>;
}
