import { failpoint } from '@marimo/messaging';
import type { Database, TenantTransaction } from '@marimo/postgres';
import type { ServiceClient } from '@marimo/resilience';
import { askByIds, askForPage } from './ask.ts';
import { idOf, type Mirror } from './mirror.ts';
import { advanceStanding, type Comparison, holdStanding } from './standing-store.ts';
import { deleteCopies, listOthers, upsertCopies } from './store.ts';

export interface ComparingParts {
  readonly database: Pick<Database, 'inTenant'>;
  readonly client: Pick<ServiceClient, 'call'>;
  readonly signal: AbortSignal;
  /** Between the end of one comparison and the start of the next. */
  readonly againAfterMs: number;
}

/** What was begun before the last comparison may have been committed after it, by a clock that is a little off. */
const overlapMs = 3_600_000;

/**
 * Compares one page of the originals with their copies. Copies whose original is not on the page are asked for by id when
 * everything is compared: a new one may have come by an event after the page was read, and one without an original goes.
 */
export async function comparePage(mirror: Mirror, taken: Comparison, parts: ComparingParts): Promise<void> {
  const { tenantId, comparedTo, lastId: after } = taken;
  const { client, database, signal, againAfterMs } = parts;
  const asking = { client, organisationId: tenantId, signal };
  const changedFrom = comparedTo === null ? undefined : new Date(comparedTo.getTime() - overlapMs);
  const { items, next, asOf } = await askForPage(mirror, asking, { after, changedFrom });
  const { fullName } = mirror.record;
  const given = items.map((item) => idOf(mirror, item));

  const write = async (effect: (tx: TenantTransaction) => Promise<string[]>): Promise<string[]> => {
    const left = await database.inTenant(
      tenantId,
      async (tx) => {
        if ((await holdStanding(tx, fullName)) === 'closed') return [];
        const others = await effect(tx);
        if (others.length === 0) await advanceStanding(tx, fullName, taken, { asOf, next, againAfterMs });
        failpoint('mirror.beforeCommit');
        return others;
      },
      { signal },
    );
    failpoint('mirror.afterCommit');
    return left;
  };

  const others = await write(async (tx) => {
    await upsertCopies(tx, mirror, items);
    return comparedTo === null ? listOthers(tx, mirror, { after, upTo: next, given }) : [];
  });
  if (others.length === 0) return;
  const present = await askByIds(mirror, asking, others);
  const there = new Set(present.map((item) => idOf(mirror, item)));
  await write(async (tx) => {
    await upsertCopies(tx, mirror, present);
    const gone = others.filter((id) => !there.has(id));
    await deleteCopies(tx, mirror, gone);
    return [];
  });
}
