import { setTimeout as pause } from 'node:timers/promises';
import { Stale } from '@marimo/contracts';
import type { operators } from '@marimo/contracts/gateway';
import type { Registry } from '@marimo/discovery';
import type { Log } from '@marimo/observability';
import { z } from 'zod';
import type { Journal } from './journal.ts';
import { KeptOrders, type Ordered, type Orders, type Standing } from './orders.ts';

export interface SharedOrdersParts {
  readonly orders: Orders;
  readonly registry: Pick<Registry, 'instances' | 'shared'>;
  /** The id discovery knows this gateway by; undefined until it listens. */
  readonly self: () => string | undefined;
  /** Of what requests meet here, and of the orders in it. */
  readonly tag: () => string;
  /** What these orders would change. */
  readonly differences: (next: Ordered) => operators.JournalEntry['differences'];
  readonly generation: () => number;
  readonly journal: Journal;
  readonly clock: () => Date;
  readonly log: Log;
}

const key = 'gateway/orders';
const heldKey = 'gateway/orders-held/';
const lookMs = 1_000;
const patienceMs = 3_000;

const Told = KeptOrders.omit({ sharedVersion: true }).extend({ by: z.string(), from: z.string() });
type Told = z.infer<typeof Told>;

/** What is shared just now: orders, or none yet; undefined when nobody answers. */
type Found = { readonly told: Told | undefined; readonly mark: number | undefined } | undefined;

/**
 * What to do about what is shared. Orders given here while nobody heard them are told to all, unless others were
 * quicker; a registry that has lost its memory, or part of it, is told what it knew.
 */
export function reconcile({ version, sharedVersion }: Standing, told: number | undefined) {
  if (told !== undefined && told > sharedVersion) return 'take over';
  const isBehind = version > sharedVersion || (told ?? 0) < sharedVersion;
  return isBehind ? 'tell' : 'agree';
}

/** Makes an order given to one gateway one of all, by a text in the registry that each looks at once a second. */
export class SharedOrders {
  readonly #parts: SharedOrdersParts;
  readonly #ended = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #following: Promise<void> | undefined;
  /** Which version and mark we have said we hold: a registry that lost its memory gives it another mark. */
  #said = '';
  #isUnreadable = false;
  #unusable: number | undefined;

  constructor(parts: SharedOrdersParts) {
    this.#parts = parts;
  }

  /** Resolves once the orders of all are in force here, or nobody tells them. */
  async begin(): Promise<void> {
    if (this.#parts.registry.shared === undefined) return;
    await this.inTurn(() => this.catchUp());
    this.#following = this.#follow();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#following;
  }

  /** One after the other: the second change is decided on what the first has made. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Puts in force what others have ordered, and tells them what they have not heard. Never rejects. */
  async catchUp(): Promise<Found> {
    const found = await this.#find();
    if (found === undefined) return undefined;
    const { orders, log } = this.#parts;
    try {
      const todo = this.#isUnreadable ? 'agree' : reconcile(orders.standing, found.told?.version);
      if (todo === 'take over' && found.told !== undefined) await this.#takeOver(found.told);
      // Somebody else may be telling just now: the next look shows.
      if (todo === 'tell' && (await this.#tell(orders.ordered, orders.standing.version, 'registry', found)))
        await orders.change(orders.ordered, sharedAs(orders.standing.version));
      await this.#sayHeld(found.mark);
      return todo === 'tell' ? await this.#find() : found;
    } catch (error) {
      log.warn('the orders of all gateways could not be brought in line', { error });
      return undefined;
    }
  }

  /**
   * Tells all, then puts in force.
   *
   * @param found what `catchUp` has returned in the same turn
   * Errors: `Stale` when another gateway was told something in between.
   */
  async order(next: Ordered, by: string, found: Found): Promise<void> {
    const { orders, registry, tag } = this.#parts;
    const { version, sharedVersion } = orders.standing;
    const wanted = version + 1;
    const isShared = found !== undefined && (await this.#tellInTime(next, wanted, by, found));
    if (found !== undefined && isShared === false) {
      await this.catchUp();
      throw new Stale({ etag: tag() });
    }
    const isAlone = registry.shared === undefined || isShared === true;
    await orders.change(next, isAlone ? sharedAs(wanted) : { version: wanted, sharedVersion });
  }

  /** Waits a few seconds for all gateways to say they hold them. */
  async holding(): Promise<operators.OrdersHeld> {
    const until = performance.now() + patienceMs;
    for (;;) {
      const held = await this.held();
      if (held.awaited.length === 0 || performance.now() > until) return held;
      await pause(200);
    }
  }

  async held(): Promise<operators.OrdersHeld> {
    const { orders, registry } = this.#parts;
    const self = this.#self;
    const { version, sharedVersion } = orders.standing;
    const alone = { version, heldBy: [self], awaited: [], onlyHere: null };
    if (registry.shared === undefined) return alone;
    const said = await registry.shared.below(heldKey).catch(() => undefined);
    if (said === undefined || version > sharedVersion) {
      const onlyHere =
        version > sharedVersion
          ? 'The registry did not answer: they hold here until it does, and then everywhere unless another gateway was told something first.'
          : 'The registry does not answer: the other gateways keep what they heard last, and hear of changes once it does.';
      return { ...alone, onlyHere };
    }
    const others = registry.instances('gateway').flatMap(({ id }) => (id === self ? [] : [id]));
    const isHolding = (id: string) => said.get(id) === String(version);
    return {
      version,
      heldBy: [self, ...others.filter(isHolding)].sort(),
      awaited: others.filter((id) => !isHolding(id)),
      onlyHere: null,
    };
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await pause(lookMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.inTurn(() => this.catchUp());
    }
  }

  async #find(): Promise<Found> {
    const { registry, log } = this.#parts;
    try {
      const found = await registry.shared?.read(key);
      if (registry.shared === undefined) return undefined;
      const told = found && Told.safeParse(parsed(found.text));
      const isUnreadable = told !== undefined && !told.success;
      // Of a later version of the platform, perhaps: left as it is until an operator says something here.
      if (isUnreadable && !this.#isUnreadable) log.warn('the orders of all gateways cannot be read');
      this.#isUnreadable = isUnreadable;
      return { told: told?.data, mark: found?.mark };
    } catch {
      return undefined; // discovery says that the registry is away
    }
  }

  /** Undefined when nobody answers. */
  #tellInTime(next: Ordered, version: number, by: string, found: NonNullable<Found>) {
    return this.#tell(next, version, by, found).catch(() => undefined);
  }

  async #tell(next: Ordered, version: number, by: string, { mark }: NonNullable<Found>): Promise<boolean> {
    const { orders, registry } = this.#parts;
    const { sharedVersion: _, ...told } = orders.toKeep(next, sharedAs(version));
    const text = JSON.stringify({ ...told, by, from: this.#self } satisfies Told);
    return (await registry.shared?.replace(key, text, mark)) ?? false;
  }

  async #takeOver(told: Told): Promise<void> {
    const { orders, journal, clock, generation, log } = this.#parts;
    const { version, sharedVersion } = orders.standing;
    const next = orders.overSettings(told);
    const mistakes = orders.mistakesIn(next, { mayBeAbsent: true });
    if (mistakes.length > 0) {
      if (this.#unusable !== told.version)
        log.error('orders of another gateway cannot be used', { mistakes });
      this.#unusable = told.version;
      return;
    }
    const differences = this.#parts.differences(next);
    await orders.change(next, sharedAs(told.version));
    if (differences.length === 0) return;
    // What was ordered here while nobody heard it is lost to somebody who was quicker, and must not be so in silence.
    const what = version > sharedVersion ? 'gave way to another gateway' : 'taken over from another gateway';
    const at = clock().toISOString();
    await journal.add({ at, by: told.by, address: told.from, generation: generation(), what, differences });
  }

  async #sayHeld(mark: number | undefined): Promise<void> {
    const { orders, registry, self } = this.#parts;
    const { version, sharedVersion } = orders.standing;
    const id = self();
    const said = `${version} ${mark}`;
    if (id === undefined || version !== sharedVersion || this.#said === said) return;
    await registry.shared?.put(`${heldKey}${id}`, String(version));
    this.#said = said;
  }

  get #self(): string {
    return this.#parts.self() ?? 'gateway';
  }
}

const sharedAs = (version: number): Standing => ({ version, sharedVersion: version });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
