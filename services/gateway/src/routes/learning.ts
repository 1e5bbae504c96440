import type { Instance, Registry } from '@marimo/discovery';
import type { Log, Metrics } from '@marimo/observability';
import type { KnowsPermission } from './check.ts';
import { type DescribeClient, type DescribeResult, describeClient } from './describe-service.ts';
import { type Descriptions, judge, type Refused } from './descriptions.ts';

export interface LearningParts {
  readonly books: ReadonlyMap<string, Descriptions>;
  readonly registry: Registry;
  readonly knowsPermission: KnowsPermission;
  /** The descriptions in force of a service have changed: its table must be recompiled. */
  readonly changed: (service: string) => void;
  /** Something was learned that leaves the table as it is. */
  readonly learned: () => void;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Instances that do not say what they serve are asked again and again. */
const askAgainMs = 5_000;

/** Asks instances what they serve, as soon as discovery names one whose routes are not known. */
export class Learning {
  readonly #parts: LearningParts;
  readonly #describe: DescribeClient = describeClient();
  readonly #asked = new Set<string>();
  readonly #pages = new Map<string, unknown>(); // OpenAPI, by digest
  readonly #refusals: ReturnType<typeof refusals>;
  #end: (() => void) | undefined;

  constructor(parts: LearningParts) {
    this.#parts = parts;
    this.#refusals = refusals(parts.metrics);
  }

  /** Begins to learn: at once from the instances that are there, then from those that appear. */
  begin(): void {
    const unwatch = this.#parts.registry.onChange((service) => this.#heard(service));
    const timer = setInterval(() => this.#askAll(), askAgainMs).unref();
    this.#end = () => {
      unwatch();
      clearInterval(timer);
    };
    for (const service of this.#parts.books.keys()) this.#heard(service);
  }

  async close(): Promise<void> {
    this.#end?.();
    this.#end = undefined;
    await this.#describe.close();
  }

  /** The OpenAPI pages of services whose routes were learned; the others are as the contracts say. */
  pages(): ReadonlyMap<string, unknown> {
    const pages = new Map<string, unknown>();
    for (const [service, book] of this.#parts.books) {
      const page = book.active
        .map(({ digest }) => this.#pages.get(digest))
        .findLast((one) => one !== undefined);
      if (page !== undefined) pages.set(service, page);
    }
    return pages;
  }

  #heard(service: string): void {
    const book = this.#parts.books.get(service);
    if (book === undefined) return; // gateways register too
    if (book.settle(this.#instances(service))) this.#parts.changed(service);
    this.#askAbout(service);
  }

  #askAll(): void {
    for (const service of this.#parts.books.keys()) this.#askAbout(service);
  }

  #askAbout(service: string): void {
    const book = this.#parts.books.get(service);
    if (book === undefined) return;
    for (const instance of this.#instances(service)) {
      const digest = book.digestOf(instance);
      const known = digest !== undefined && book.accepts(digest) ? digest : undefined;
      const mayChange = instance.routesDigest === undefined && instance.version === 'unknown';
      if (this.#asked.has(instance.id) || (known !== undefined && !mayChange)) continue;
      this.#asked.add(instance.id);
      this.#describe
        .routes(instance, known)
        .then((result) => this.#learn(instance, result))
        .catch((error: unknown) => {
          // An address of the static table may have no instance.
          if (!mayChange)
            this.#parts.log.warn('an instance does not describe its routes', {
              instance: instance.id,
              error,
            });
        })
        .finally(() => this.#asked.delete(instance.id));
    }
  }

  #learn(instance: Instance, result: DescribeResult): void {
    if (this.#end === undefined || result.kind === 'unchanged' || result.kind === 'missing') return;
    const book = this.#parts.books.get(instance.service);
    if (book === undefined) return;
    if (result.kind === 'invalid') {
      const digest = instance.routesDigest ?? `invalid:${instance.id}`;
      const { version } = instance;
      this.#refuse(book, instance, { digest, version, mistakes: result.mistakes, closed: [] });
      return;
    }
    const { digest, description } = result;
    book.found(instance, digest);
    if (!book.accepts(digest)) {
      const judged = judge(book.service, digest, description, this.#parts.knowsPermission);
      if (!('origin' in judged)) {
        this.#refuse(book, instance, judged);
        return;
      }
      book.accept(judged);
      this.#readPage(instance, digest);
    }
    // The instance may have become known without a change of the table.
    if (book.settle(this.#instances(book.service))) this.#parts.changed(book.service);
    else this.#parts.learned();
  }

  #refuse(book: Descriptions, instance: Instance, refused: Refused): void {
    const isNews = !book.refuses(refused.digest);
    book.found(instance, refused.digest);
    book.refuse(refused);
    if (!isNews) return;
    this.#refusals.inc({ upstream: book.service });
    this.#parts.log.error('the routes of a service are refused; those known before stay', {
      target: book.service,
      instance: instance.id,
      mistakes: refused.mistakes.slice(0, 20),
    });
    book.settle(this.#instances(book.service));
    this.#parts.changed(book.service);
  }

  /** What only documents may be missing. */
  #readPage(instance: Instance, digest: string): void {
    this.#describe
      .openApi(instance)
      .then((page) => {
        const inUse = new Set(
          [...this.#parts.books.values()].flatMap((book) => book.active.map((one) => one.digest)),
        );
        for (const known of this.#pages.keys()) if (!inUse.has(known)) this.#pages.delete(known);
        this.#pages.set(digest, page);
        this.#parts.learned();
      })
      .catch((error: unknown) =>
        this.#parts.log.warn('an instance shows no OpenAPI page', { instance: instance.id, error }),
      );
  }

  #instances(service: string): readonly Instance[] {
    return this.#parts.registry.instances(service);
  }
}

function refusals(metrics: Metrics) {
  const help = 'Descriptions of routes that were refused';
  return metrics.counter('gateway_route_table_refused_total', help, ['upstream']);
}
