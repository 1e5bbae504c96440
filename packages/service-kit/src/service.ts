import type { Cache } from '@marimo/cache';
import { type FilesContract, type JobsContract, type ServiceName, sagaContract } from '@marimo/contracts';
import type { ImportsContract } from '@marimo/contracts/records';
import type { Registry } from '@marimo/discovery';
import type { Files } from '@marimo/files';
import type { JobKind, Jobs } from '@marimo/jobs';
import type { Consumer, Outbox, Transport } from '@marimo/messaging';
import type { Mirror } from '@marimo/mirrors';
import type { Log, Metrics } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import type { ServiceClient } from '@marimo/resilience';
import type { SagaDefinition, Sagas } from '@marimo/sagas';
import type { CallerVerifier, TokenVerifier } from './caller.ts';
import { fileRoutes } from './files/routes.ts';
import type { FrontServer } from './http/listen.ts';
import { jobRoutes } from './jobs/routes.ts';
import type { Organisations } from './organisations/organisations.ts';
import { importRecordsKind } from './records/import-job.ts';
import { type RecordImports, requireImportsDeclared } from './records/imports.ts';
import { mappingRoutes } from './records/mapping-routes.ts';
import type { Route } from './route.ts';
import { sagaRoutes } from './sagas/routes.ts';
import type { Environment } from './settings/own-settings.ts';
import type { Settings } from './settings/settings.ts';

/** Everything a slice may use; passed in, never imported. */
export interface Deps {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly cache: Cache;
  readonly registry: Registry;
  readonly client: ServiceClient;
  /** What must be known of the caller's organisation: base currency, language, time zone. */
  readonly organisations: Organisations;
  /** Asks for long work, of the kinds that the service declares. */
  readonly jobs: Jobs;
  /** Starts work that spans services, of the kinds that the service declares. */
  readonly sagas: Sagas;
  /** Takes, gives and keeps the files of this service. */
  readonly files: Files;
  /** The records of this service that are imported from files. */
  readonly recordImports: RecordImports;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly settings: Settings;
  readonly clock: () => Date;
}

/** Work a service does by itself, such as sending queued mail. */
export interface BackgroundWork<Parts = unknown> {
  readonly name: string;
  /** Starts the work; the returned function stops it and resolves when nothing runs any more. */
  start(deps: Deps, parts: Parts): Promise<() => Promise<void>>;
}

/** What the kit has for a service's own server besides the dependencies of its slices. */
export interface ServerTools {
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

export interface DeclaredJobs {
  readonly contract: JobsContract;
  readonly kinds: readonly JobKind<Deps>[];
}

/** What a service says of itself. */
export interface ServiceDeclaration<Own, Parts> {
  readonly name: ServiceName;
  /** Where the numbered SQL files are; a service without them has no database. */
  readonly migrations?: URL;
  /** Its own part of the environment, checked before anything starts; throws `SettingsInvalid` with all that is wrong. */
  readonly settings?: (env: Environment, platform: Settings) => Own;
  /** What its slices share, made once for each running service. */
  readonly parts?: (deps: Deps, own: NoInfer<Own>) => Parts;
  readonly routes?: readonly ((deps: Deps, parts: NoInfer<Parts>) => readonly Route[])[];
  readonly consumers?: readonly Consumer<Deps>[];
  /** Its long work; adds the routes by which people see and cancel it. */
  readonly jobs?: DeclaredJobs;
  /**
   * Work that spans services and begins here; adds the routes by which people see, retry and give it up. The contract of
   * the service hands on `sagaContract` and `sagaPermissions`. Local steps are given the `Deps`.
   */
  readonly sagas?: readonly SagaDefinition[];
  /** Copies of other services' records, fed and filled by themselves; read with `copiesOf`. */
  readonly mirrors?: readonly Mirror[];
  /** Adds the routes by which people send files and download them. */
  readonly files?: FilesContract;
  /**
   * Files of its records: adds the routes of saved mappings and the job that imports what is too long for a request, so
   * `jobs` and `files` are declared with it.
   */
  readonly imports?: ImportsContract;
  readonly background?: readonly BackgroundWork<NoInfer<Parts>>[];
  /** Only `users` verifies with keys of its own; everyone else asks it for the public ones. */
  readonly verifier?: (parts: NoInfer<Parts>) => TokenVerifier;
  /** Instead of the Express app of `routes`: only the gateway, which passes requests on without reading them. */
  readonly server?: (deps: Deps, tools: ServerTools, own: NoInfer<Own>) => OwnServer;
}

/** A service as the kit runs it; what its settings and parts are made of is its own affair. */
export interface ServiceDefinition
  extends Pick<
    ServiceDeclaration<unknown, unknown>,
    'name' | 'migrations' | 'settings' | 'consumers' | 'jobs' | 'sagas' | 'mirrors' | 'files'
  > {
  /** Makes the shared parts and everything that is given them. `own`: what its `settings` returned. */
  compose(deps: Deps, own: unknown): ComposedService;
}

export interface ComposedService {
  readonly routes: readonly Route[];
  readonly background: readonly (() => Promise<() => Promise<void>>)[];
  readonly verifier: TokenVerifier | undefined;
  readonly server: ((tools: ServerTools) => OwnServer) | undefined;
}

export function defineService<Own = undefined, Parts = undefined>(
  declaration: ServiceDeclaration<Own, Parts>,
): ServiceDefinition {
  const { parts: makeParts, routes = [], background = [], verifier, server, imports, ...rest } = declaration;
  const definition = { ...rest, ...(imports !== undefined && withImports(rest)) };
  return {
    ...definition,
    compose(deps, given) {
      const own = given as Own; // what `settings` of the same declaration returned
      const parts = makeParts?.(deps, own) as Parts;
      const ownRoutes = routes.flatMap((slice) => slice(deps, parts));
      if (imports === undefined) requireImportsDeclared(definition.name, deps.recordImports);
      return {
        routes: [
          ...ownRoutes,
          ...(imports === undefined ? [] : mappingRoutes(definition.name, imports, deps.recordImports)),
          ...(definition.jobs === undefined ? [] : jobRoutes(definition.jobs.contract, deps.jobs)),
          ...(definition.sagas === undefined ? [] : sagaRoutes(sagaContract(definition.name), deps.sagas)),
          ...(definition.files === undefined ? [] : fileRoutes(definition.name, definition.files, deps)),
        ],
        background: background.map((work) => () => work.start(deps, parts)),
        verifier: verifier?.(parts),
        server: server && ((tools) => server(deps, tools, own)),
      };
    },
  };
}

/** Its jobs, with the one that imports records. */
function withImports({ name, jobs, files }: Pick<ServiceDefinition, 'name' | 'jobs' | 'files'>): {
  jobs: DeclaredJobs;
} {
  if (jobs === undefined || files === undefined)
    throw new Error(`${name} imports records, so it declares jobs and files too`);
  return { jobs: { ...jobs, kinds: [...jobs.kinds, importRecordsKind(name)] } };
}
