import { setTimeout as pause } from 'node:timers/promises';
import { Stale } from '@marimo/contracts';
import type { operators } from '@marimo/contracts/gateway';
import type { Registry } from '@marimo/discovery';
import type { Log } from '@marimo/observability';
import { z } from 'zod';
import type { Journal } from './journal.ts';
import { type OverrideSet, type Overrides, type Revision, StoredOverrides } from './overrides.ts';

export interface SharedOverridesParts {
  readonly overrides: Overrides;
  readonly registry: Pick<Registry, 'instances' | 'shared'>;
  /** The id discovery knows this gateway by; undefined until it listens. */
  readonly self: () => string | undefined;
  /** Of what requests meet here, and of the overrides in it. */
  readonly tag: () => string;
  /** What these overrides would change. */
  readonly differences: (next: OverrideSet) => operators.JournalEntry['differences'];
  readonly generation: () => number;
  readonly journal: Journal;
  readonly clock: () => Date;
  readonly log: Log;
}

const key = 'gateway/orders';
const heldKey = 'gateway/orders-held/';
const lookMs = 1_000;
const patienceMs = 3_000;

const SharedText = StoredOverrides.omit({ sharedVersion: true }).extend({ by: z.string(), from: z.string() });
type SharedText = z.infer<typeof SharedText>;

/** What the registry holds: overrides, or none yet; undefined when it does not answer. */
type SharedRecord = { readonly told: SharedText | undefined; readonly mark: number | undefined } | undefined;

/**
 * Compares our revision with the shared one. Overrides that were set while the registry was away are published, unless
 * another gateway published first; a registry that has lost data gets it back.
 */
export function reconcile({ version, sharedVersion }: Revision, told: number | undefined) {
  if (told !== undefined && told > sharedVersion) return 'adopt';
  const isBehind = version > sharedVersion || (told ?? 0) < sharedVersion;
  return isBehind ? 'publish' : 'none';
}

/** Shares the overrides between all gateways through a text in the registry that each reads once a second. */
export class SharedOverrides {
  readonly #parts: SharedOverridesParts;
  readonly #ended = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #following: Promise<void> | undefined;
  /** The version and mark we reported as held: a registry that lost its data assigns another mark. */
  #confirmed = '';
  #isUnreadable = false;
  #unusable: number | undefined;

  constructor(parts: SharedOverridesParts) {
    this.#parts = parts;
  }

  /** Resolves once the shared overrides are in force here, or cannot be read. */
  async begin(): Promise<void> {
    if (this.#parts.registry.shared === undefined) return;
    await this.inTurn(() => this.catchUp());
    this.#following = this.#follow();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#following;
  }

  /** Runs one piece of work at a time: a change is checked against the result of the one before. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Adopts the shared overrides and publishes ours where they are newer. Never rejects. */
  async catchUp(): Promise<SharedRecord> {
    const found = await this.#find();
    if (found === undefined) return undefined;
    const { overrides, log } = this.#parts;
    try {
      const todo = this.#isUnreadable ? 'none' : reconcile(overrides.revision, found.told?.version);
      if (todo === 'adopt' && found.told !== undefined) await this.#adopt(found.told);
      // Another gateway may publish at the same moment: the next reading shows.
      if (
        todo === 'publish' &&
        (await this.#publish(overrides.current, overrides.revision.version, 'registry', found))
      )
        await overrides.change(overrides.current, sharedAs(overrides.revision.version));
      await this.#confirmHeld(found.mark);
      return todo === 'publish' ? await this.#find() : found;
    } catch (error) {
      log.warn('the overrides could not be synchronised with the other gateways', { error });
      return undefined;
    }
  }

  /**
   * Publishes, then puts in force.
   *
   * @param found what `catchUp` has returned in the same turn
   * Errors: `Stale` when another gateway published in between.
   */
  async apply(next: OverrideSet, by: string, found: SharedRecord): Promise<void> {
    const { overrides, registry, tag } = this.#parts;
    const { version, sharedVersion } = overrides.revision;
    const wanted = version + 1;
    const isShared = found !== undefined && (await this.#publishInTime(next, wanted, by, found));
    if (found !== undefined && isShared === false) {
      await this.catchUp();
      throw new Stale({ etag: tag() });
    }
    const isAlone = registry.shared === undefined || isShared === true;
    await overrides.change(next, isAlone ? sharedAs(wanted) : { version: wanted, sharedVersion });
  }

  /** Waits a few seconds for all gateways to confirm that they hold the overrides. */
  async untilHeld(): Promise<operators.OverridesHeld> {
    const until = performance.now() + patienceMs;
    for (;;) {
      const held = await this.held();
      if (held.awaited.length === 0 || performance.now() > until) return held;
      await pause(200);
    }
  }

  async held(): Promise<operators.OverridesHeld> {
    const { overrides, registry } = this.#parts;
    const self = this.#self;
    const { version, sharedVersion } = overrides.revision;
    const alone = { version, heldBy: [self], awaited: [], onlyHere: null };
    if (registry.shared === undefined) return alone;
    const said = await registry.shared.below(heldKey).catch(() => undefined);
    if (said === undefined || version > sharedVersion) {
      const onlyHere =
        version > sharedVersion
          ? 'The registry did not answer. The overrides hold at this gateway; they will be shared once it answers, unless another gateway shares its own first.'
          : 'The registry does not answer. The other gateways keep the last shared overrides until it does.';
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

  async #find(): Promise<SharedRecord> {
    const { registry, log } = this.#parts;
    try {
      const found = await registry.shared?.read(key);
      if (registry.shared === undefined) return undefined;
      const told = found && SharedText.safeParse(parsed(found.text));
      const isUnreadable = told !== undefined && !told.success;
      // Perhaps written by a later version of the platform: kept until an operator makes a change here.
      if (isUnreadable && !this.#isUnreadable) log.warn('the shared overrides cannot be read');
      this.#isUnreadable = isUnreadable;
      return { told: told?.data, mark: found?.mark };
    } catch {
      return undefined; // discovery says that the registry is away
    }
  }

  /** Undefined when the registry does not answer. */
  #publishInTime(next: OverrideSet, version: number, by: string, found: NonNullable<SharedRecord>) {
    return this.#publish(next, version, by, found).catch(() => undefined);
  }

  async #publish(
    next: OverrideSet,
    version: number,
    by: string,
    { mark }: NonNullable<SharedRecord>,
  ): Promise<boolean> {
    const { overrides, registry } = this.#parts;
    const { sharedVersion: _, ...told } = overrides.toKeep(next, sharedAs(version));
    const text = JSON.stringify({ ...told, by, from: this.#self } satisfies SharedText);
    return (await registry.shared?.replace(key, text, mark)) ?? false;
  }

  async #adopt(told: SharedText): Promise<void> {
    const { overrides, journal, clock, generation, log } = this.#parts;
    const { version, sharedVersion } = overrides.revision;
    const next = overrides.overSettings(told);
    const mistakes = overrides.mistakesIn(next, { mayBeAbsent: true });
    if (mistakes.length > 0) {
      if (this.#unusable !== told.version)
        log.error('the overrides of another gateway are invalid', { mistakes });
      this.#unusable = told.version;
      return;
    }
    const differences = this.#parts.differences(next);
    await overrides.change(next, sharedAs(told.version));
    if (differences.length === 0) return;
    // Overrides that were never shared are lost to those of another gateway, which must not go unnoticed.
    const what = version > sharedVersion ? 'gave way to another gateway' : 'taken over from another gateway';
    const at = clock().toISOString();
    await journal.add({ at, by: told.by, address: told.from, generation: generation(), what, differences });
  }

  async #confirmHeld(mark: number | undefined): Promise<void> {
    const { overrides, registry, self } = this.#parts;
    const { version, sharedVersion } = overrides.revision;
    const id = self();
    const said = `${version} ${mark}`;
    if (id === undefined || version !== sharedVersion || this.#confirmed === said) return;
    await registry.shared?.put(`${heldKey}${id}`, String(version));
    this.#confirmed = said;
  }

  get #self(): string {
    return this.#parts.self() ?? 'gateway';
  }
}

const sharedAs = (version: number): Revision => ({ version, sharedVersion: version });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
