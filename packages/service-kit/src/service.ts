import type { Cache } from '@marimo/cache';
import type { ServiceName } from '@marimo/contracts';
import type { Registry } from '@marimo/discovery';
import type { Consumer, Outbox, Transport } from '@marimo/messaging';
import type { Log, Metrics } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import type { ServiceClient } from '@marimo/resilience';
import type { CallerVerifier, TokenVerifier } from './caller.ts';
import type { FrontServer } from './http/listen.ts';
import type { Route } from './route.ts';
import type { Settings } from './settings/settings.ts';

/** Everything a slice may use; passed in, never imported. */
export interface Deps {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly cache: Cache;
  readonly registry: Registry;
  readonly client: ServiceClient;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly settings: Settings;
  readonly clock: () => Date;
}

/** Work a service does by itself, such as sending queued mail. */
export interface BackgroundWork {
  readonly name: string;
  /** Starts the work; the returned function stops it and resolves when nothing runs any more. */
  start(deps: Deps): Promise<() => Promise<void>>;
}

/** What the kit has for a service's own server besides the dependencies of its slices. */
export interface GivenToServer {
  /** Knows no service: what is for services is served by routes alone. */
  readonly verifier: CallerVerifier;
  /** What the parts shared by all services of this process measure, in the exposition format. */
  sharedMetrics(): Promise<string>;
  readonly version: string;
}

/** An HTTP server a service brings itself, made but not yet listening; the kit listens, registers and drains it. */
export interface OwnServer {
  readonly server: FrontServer;
  /** Begins what must be there before the first request; called once, before the kit listens. */
  open?(): Promise<void>;
  /** Fails `/ready` and asks clients to leave; called once the instance is withdrawn, before the listener closes. */
  drain(): void;
  /** Ends what the server holds open towards others, after its last request. */
  close(): Promise<void>;
}

export interface ServiceDefinition {
  readonly name: ServiceName;
  /** Where the numbered SQL files are; a service without them has no database. */
  readonly migrations?: URL;
  readonly routes: readonly ((deps: Deps) => readonly Route[])[];
  readonly consumers?: readonly Consumer<Deps>[];
  readonly background?: readonly BackgroundWork[];
  /** Only `users` verifies with keys of its own; everyone else asks it for the public ones. */
  readonly verifier?: (deps: Deps) => TokenVerifier;
  /** Instead of the Express app of `routes`: only the gateway, which passes requests on without reading them. */
  readonly server?: (deps: Deps, given: GivenToServer) => OwnServer;
}

export function defineService(definition: ServiceDefinition): ServiceDefinition {
  return definition;
}
