import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { jobsOf } from '@marimo/contracts';
import type { Registry } from '@marimo/discovery';
import { createFiles } from '@marimo/files';
import { createJobs, startJobRunner } from '@marimo/jobs';
import {
  type Consumer,
  createOutbox,
  createWake,
  startConsumers,
  startRelay,
  type Wake,
} from '@marimo/messaging';
import { mirrorConsumer, startMirrors } from '@marimo/mirrors';
import type { Database } from '@marimo/postgres';
import { createSagas, startSagaRunner } from '@marimo/sagas';
import { startSweeping } from '../files/sweep.ts';
import { forgetOldAnswers } from '../idempotency/forget.ts';
import { organisationConsumer } from '../organisations/consumer.ts';
import { knownOrganisations } from '../organisations/organisations.ts';
import type { Readiness } from '../pages/operations.ts';
import { createRecordImports } from '../records/imports.ts';
import type { ComposedService, Deps, ServiceDefinition } from '../service.ts';
import { noDatabase } from './no-database.ts';
import type { Observed, Platform } from './platform.ts';
import { readinessOf } from './readiness.ts';
import { serve } from './serve.ts';
import { serverOf } from './server-of.ts';
import { type RunningVerifier, verifierOf } from './verifier-of.ts';
import { version } from './version.ts';

const keysWithinMs = 10_000;

export interface RunningService {
  readonly address: AddressInfo;
  ready(): Promise<Readiness>;
  /** Withdraws, finishes what is running, then closes everything; the second call waits for the first. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** False: jobs, sagas and what the service does by itself wait; what others ask of it is answered. For tests. */
  readonly background?: boolean;
}

/** Starts one service on the platform. When a step fails, what was started before it is stopped again. */
export async function startService(
  definition: ServiceDefinition,
  platform: Platform,
  { background = true }: StartOptions = {},
): Promise<RunningService> {
  const started = new AsyncDisposableStack(); // undone from the last step to the first
  try {
    const service = await start(definition, platform, started, background);
    let stopping: Promise<void> | undefined;
    const stop = () => {
      stopping ??= started.disposeAsync();
      return stopping;
    };
    return { ...service, stop };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function start(
  definition: ServiceDefinition,
  platform: Platform,
  started: AsyncDisposableStack,
  hasBackground: boolean,
): Promise<Omit<RunningService, 'stop'>> {
  const { name } = definition;
  const of = platform.observe(name);
  const tracing = await platform.startTracing(name);
  started.defer(() => tracing.close());

  await platform.migrate([definition]);
  const { deps, relay } = startData(definition, of, platform, started);
  const composed = definition.compose(deps, platform.settings.own.get(name));
  const consumers = consumersOf(definition);
  await startConsuming(consumers, of, deps, started);
  if (hasBackground) await startBackground(definition, composed, { of, deps, relay }, started);

  const verifier = verifierOf(composed, platform, of);
  started.defer(() => verifier.close());
  const hasDatabase = definition.migrations !== undefined;
  const readiness = readinessOf({ hasDatabase, consumers }, deps, verifier);
  const { sharedMetrics } = platform;
  const own = serverOf({ name, composed, deps, verifier, readiness, sharedMetrics });
  started.defer(() => own.close());
  await own.open();
  await untilKeysAreKnown(verifier, platform.registry);
  const served = await serve({ ...own, service: name, settings: platform.settings });
  started.defer(() => served.stop());

  const host = platform.settings.advertiseHost;
  const { port } = served.address;
  const { routesDigest } = own;
  const place = { id: `${name}-${host}-${port}`, service: name, host, port };
  const instance = { ...place, version, ...(routesDigest !== undefined && { routesDigest }) };
  const registration = await platform.registry.register(instance);
  started.defer(() => registration.withdraw());
  of.log.info('serving', { host, port });
  return { address: served.address, ready: readiness.ask };
}

/**
 * Whoever listens or is registered gets requests at once, and without keys would turn each of them away: on a busy machine
 * the first may be long in coming. Where there is no `users` yet there is nothing to wait for.
 */
async function untilKeysAreKnown(verifier: RunningVerifier, registry: Registry): Promise<void> {
  const giveUpAt = performance.now() + keysWithinMs;
  while (!verifier.ready && performance.now() < giveUpAt && registry.instances('users').length > 0) {
    await pause(50);
  }
}

/** Opens the database and begins to empty the outbox; a service without migrations has neither. */
function startData(
  { name, migrations, sagas: definitions = [] }: ServiceDefinition,
  of: Observed,
  platform: Platform,
  started: AsyncDisposableStack,
): { deps: Deps; relay: Relay | undefined } {
  const { settings, clock, registry, cache, transport, fileStore, quarantine } = platform;
  const wake = createWake();
  const [jobsWake, sagasWake] = [createWake(), createWake()];
  let relayDatabase: Database | undefined;
  const database = migrations === undefined ? noDatabase(name) : platform.openDatabase(of, 'app');
  started.defer(() => database.close());
  if (migrations !== undefined) {
    const asRelay = platform.openDatabase(of, 'relay');
    started.defer(() => asRelay.close());
    const relay = startRelay({ ...of, database: asRelay, transport, wake });
    started.defer(() => relay.close());
    started.defer(forgetOldAnswers(asRelay, of.log));
    started.defer(startSweeping({ ...of, relay: asRelay, store: fileStore }, clock));
    relayDatabase = asRelay;
  }
  const client = platform.client(of);
  started.defer(() => client.close());
  const outbox = createOutbox({ service: name, clock, onAdded: wake.ring });
  const organisations = knownOrganisations(database, client);
  const jobs = createJobs({ outbox, wake: jobsWake, clock, contract: jobsOf(name) });
  const sagas = createSagas({ service: name, definitions, outbox, onDue: sagasWake.ring });
  const organisationLimitBytes = settings.filesPerOrganisationBytes;
  const files = createFiles({ ...of, database, store: fileStore, quarantine, organisationLimitBytes });
  const shared = { transport, cache, registry, client, organisations, settings, clock };
  return {
    deps: { database, outbox, jobs, sagas, files, recordImports: createRecordImports(), ...shared, ...of },
    relay: relayDatabase && { relayDatabase, jobsWake, sagasWake },
  };
}

/** What the service does by itself. */
async function startBackground(
  definition: ServiceDefinition,
  { background }: ComposedService,
  { of, deps, relay }: { readonly of: Observed; readonly deps: Deps; readonly relay: Relay | undefined },
  started: AsyncDisposableStack,
): Promise<void> {
  if (relay !== undefined) startJobs(definition, of, deps, relay, started);
  if (relay !== undefined) startSagas(definition, of, deps, relay, started);
  if (relay !== undefined) fillMirrors(definition, of, deps, relay, started);
  for (const start of background) started.defer(await start());
}

/** What is done for all organisations at once. */
interface Relay {
  readonly relayDatabase: Database;
  readonly jobsWake: Wake;
  readonly sagasWake: Wake;
}

/** Runs the service's jobs, if it declares any. */
function startJobs(
  { name, jobs }: ServiceDefinition,
  of: Observed,
  deps: Deps,
  { relayDatabase, jobsWake }: Relay,
  started: AsyncDisposableStack,
): void {
  if (jobs === undefined) return;
  const { database, outbox, files, clock } = deps;
  const data = { database, relayDatabase, outbox, files, wake: jobsWake };
  const runner = startJobRunner({ ...of, ...jobs, ...data, service: name, deps, clock });
  started.defer(() => runner.close());
}

/** Runs the service's sagas, if it declares any. */
function startSagas(
  { name, sagas: definitions }: ServiceDefinition,
  of: Observed,
  deps: Deps,
  { relayDatabase, sagasWake: wake }: Relay,
  started: AsyncDisposableStack,
): void {
  if (definitions === undefined) return;
  const { database, outbox, client } = deps;
  const data = { database, relayDatabase, outbox, client, wake };
  const runner = startSagaRunner({ ...of, ...data, service: name, definitions, deps });
  started.defer(() => runner.close());
}

/** Fills and compares the service's mirrors, if it declares any. */
function fillMirrors(
  { mirrors }: ServiceDefinition,
  of: Observed,
  { database, client }: Deps,
  { relayDatabase }: Relay,
  started: AsyncDisposableStack,
): void {
  if (mirrors === undefined) return;
  const runner = startMirrors({ ...of, mirrors, database, relayDatabase, client });
  started.defer(() => runner.close());
}

/** Its own, those of its mirrors, and the one for what every service must know of organisations; `users` has them itself. */
export function consumersOf({
  name,
  migrations,
  consumers = [],
  mirrors = [],
}: ServiceDefinition): readonly Consumer<Deps>[] {
  const isToldOfOrganisations = migrations !== undefined && name !== 'users';
  return [
    ...consumers,
    ...mirrors.map((mirror) => mirrorConsumer(name, mirror)),
    ...(isToldOfOrganisations ? [organisationConsumer(name)] : []),
  ];
}

async function startConsuming(
  consumers: readonly Consumer<Deps>[],
  of: Observed,
  deps: Deps,
  started: AsyncDisposableStack,
): Promise<void> {
  if (consumers.length === 0) return;
  const { database, transport } = deps;
  const consuming = await startConsumers({ ...of, database, transport, consumers, deps });
  started.defer(() => consuming.close());
}
