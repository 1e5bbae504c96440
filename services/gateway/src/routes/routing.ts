import { isDeepStrictEqual } from 'node:util';
import { type AnyEndpoint, type Permission, type ServiceDescription, servicePorts } from '@marimo/contracts';
import type { Instance, Registry } from '@marimo/discovery';
import type { Log, Metrics } from '@marimo/observability';
import { describedService } from '@marimo/service-kit';
import type { KeptFile } from '../kept-file.ts';
import { mistakesIn } from './check.ts';
import { Descriptions, type RouteStatus } from './descriptions.ts';
import type { KeptTable } from './kept.ts';
import { Learning } from './learning.ts';
import type { RouteOverride, RoutePolicy } from './policy.ts';
import { type CompiledService, compileService, type RouteTable } from './table.ts';

export interface RoutingParts {
  /** What the gateway was built with: the table until services describe their own. */
  readonly contracts: Readonly<Record<string, readonly AnyEndpoint[]>>;
  readonly permissions: readonly Pick<Permission, 'name'>[];
  readonly version: string;
  readonly registry: Registry;
  /** The last good table; undefined keeps none. */
  readonly kept?: KeptFile<KeptTable> | undefined;
  readonly metrics: Metrics;
  readonly log: Log;
}

/**
 * The table of routes, kept up to date while requests run. Each change is compiled beside the table that is in use and
 * then takes its place in one assignment: a request goes on with the policy it found.
 */
export class Routing implements RouteTable {
  readonly #parts: RoutingParts;
  readonly #books: ReadonlyMap<string, Descriptions>;
  readonly #permissions: ReadonlySet<string>;
  readonly #learning: Learning;
  readonly #report: ReturnType<typeof reporting>;
  readonly #listeners = new Set<() => void>();
  #table: ReadonlyMap<string, CompiledService> = new Map();
  #overrides: readonly RouteOverride[] = [];
  #generation = 1;

  /** Throws when what the gateway was built with contradicts itself. */
  constructor(parts: RoutingParts) {
    this.#parts = parts;
    this.#permissions = new Set(parts.permissions.map(({ name }) => name));
    const { gateway: _, ...others } = servicePorts;
    const names = new Set([...Object.keys(parts.contracts), ...Object.keys(others)]);
    this.#books = new Map([...names].map((name) => [name, new Descriptions(name)]));
    this.#report = reporting(parts.metrics);
    this.#learning = new Learning({
      ...parts,
      books: this.#books,
      knowsPermission: (name) => this.knowsPermission(name),
      changed: (service) => this.#change([service]),
      learned: () => this.#tell(),
    });
    for (const [service, endpoints] of Object.entries(parts.contracts))
      this.#learnContract(service, endpoints);
    this.#resume();
    this.#compile([...names]);
    this.#report.generation.set(this.#generation);
  }

  get services(): readonly string[] {
    return [...this.#table.keys()];
  }

  /** Grows with every change of what requests meet. */
  get generation(): number {
    return this.#generation;
  }

  get overrides(): readonly RouteOverride[] {
    return this.#overrides;
  }

  /** Services whose routes are those of an earlier start, because no instance has answered. */
  get keptServices(): readonly string[] {
    const fromRegistry = this.#parts.registry.source() === 'registry';
    return this.services.filter((service) => {
      const book = this.#book(service);
      const isConfirmed =
        fromRegistry && this.#instances(service).some((one) => book.routeStatusOf(one) === 'known');
      return !isConfirmed && book.active.length > 0 && book.active.every(({ origin }) => origin === 'disk');
    });
  }

  match(service: string, method: string, path: string): RoutePolicy | undefined {
    return this.#table.get(service)?.match(method, path);
  }

  policies(): readonly RoutePolicy[] {
    return [...this.#table.values()].flatMap(({ policies }) => policies);
  }

  book(service: string): Descriptions | undefined {
    return this.#books.get(service);
  }

  routeStatusOf(instance: Instance): RouteStatus {
    return this.#books.get(instance.service)?.routeStatusOf(instance) ?? 'unlearned';
  }

  digestOf(instance: Instance): string | undefined {
    return this.#books.get(instance.service)?.digestOf(instance);
  }

  versionOf(instance: Instance): string {
    return this.#books.get(instance.service)?.versionOf(instance) ?? instance.version;
  }

  /** Whether any description that counts, ours or a service's own, declares the permission. */
  readonly knowsPermission = (name: string): boolean => {
    if (this.#permissions.has(name)) return true;
    const book = this.#books.get(name.slice(0, name.indexOf('.')));
    return book?.active.some(({ description }) => description.permissions.includes(name)) ?? false;
  };

  /** The OpenAPI pages of services whose routes were learned; the others are as the contracts say. */
  learnedPages(): ReadonlyMap<string, unknown> {
    return this.#learning.pages();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins to learn: at once from the instances that are there, then from those that appear. */
  begin(): void {
    this.#learning.begin();
  }

  async close(): Promise<void> {
    await this.#learning.close();
  }

  /** What operators say, over what the services say. */
  override(overrides: readonly RouteOverride[]): void {
    if (isDeepStrictEqual(overrides, this.#overrides)) return;
    this.#overrides = overrides;
    this.#change([...this.#books.keys()]);
  }

  /** What requests would meet with other overrides, or with another description of one service. */
  preview(overrides: readonly RouteOverride[], described?: ServiceDescription): readonly RoutePolicy[] {
    return [...this.#books.values()].flatMap((book) => {
      const plan = book.plan(overrides, this.knowsPermission);
      if (described?.service !== book.service) return compileService(plan).policies;
      const own = new Set(described.permissions);
      const versions = [{ digest: 'described', routes: described.routes }];
      const knowsPermission = (name: string) => own.has(name) || this.knowsPermission(name);
      return compileService({ ...plan, versions, knowsPermission }).policies;
    });
  }

  mistakesIn(description: ServiceDescription): string[] {
    if (!this.#books.has(description.service)) return [`there is no service ${description.service}`];
    return mistakesIn(description.service, description, this.knowsPermission);
  }

  /** Counts a change that is not one of routes, so that two changes made at once do not go unnoticed. */
  countChange(): void {
    this.#generation += 1;
    this.#report.generation.set(this.#generation);
    this.#keep();
  }

  #learnContract(service: string, endpoints: readonly AnyEndpoint[]): void {
    const { permissions, version } = this.#parts;
    const { digest, description } = describedService(service, endpoints, { permissions, version });
    const mistakes = mistakesIn(service, description, (name) => this.#permissions.has(name));
    if (mistakes.length > 0)
      throw new Error(`The routes of ${service} cannot be served: ${mistakes.join('; ')}`);
    this.#book(service).accept({ digest, description, origin: 'contracts' });
  }

  /** A file that cannot be believed counts for nothing; one service that cannot be, for that service. */
  #resume(): void {
    const kept = this.#parts.kept?.read();
    if (kept === undefined) return;
    this.#generation = kept.generation + 1;
    for (const [service, versions] of Object.entries(kept.services)) {
      const own = new Set(versions.flatMap(({ description }) => description.permissions));
      const knows = (name: string) => own.has(name) || this.#permissions.has(name);
      const isGood = versions.every(
        ({ description }) => mistakesIn(service, description, knows).length === 0,
      );
      if (isGood) this.#books.get(service)?.resume(versions.map((one) => ({ ...one, origin: 'disk' })));
      else this.#parts.log.warn('the routes that were kept of a service cannot be used', { target: service });
    }
  }

  #change(services: readonly string[]): void {
    this.#compile(services);
    this.#report.swaps.inc();
    this.countChange();
    this.#tell();
  }

  #compile(services: readonly string[]): void {
    const next = new Map(this.#table);
    for (const service of services) {
      const plan = this.#book(service).plan(this.#overrides, this.knowsPermission);
      if (plan.versions.length > 0) next.set(service, compileService(plan));
    }
    this.#table = next;
  }

  #keep(): void {
    const entries = this.services.map((service) => {
      const versions = this.#book(service).active.map(({ digest, description }) => ({ digest, description }));
      return [service, versions] as const;
    });
    this.#parts.kept
      ?.write({ format: 1, generation: this.#generation, services: Object.fromEntries(entries) })
      .catch((error: unknown) => this.#parts.log.warn('the routes could not be kept', { error }));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #instances(service: string): readonly Instance[] {
    return this.#parts.registry.instances(service);
  }

  #book(service: string): Descriptions {
    const book = this.#books.get(service);
    if (book === undefined) throw new Error(`There is no service ${service}`);
    return book;
  }
}

function reporting(metrics: Metrics) {
  return {
    generation: metrics.gauge('gateway_route_table_generation', 'Grows with each change of the table', []),
    swaps: metrics.counter('gateway_route_table_swaps_total', 'Tables that took the place of another', []),
  };
}
