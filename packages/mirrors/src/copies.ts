import { Unavailable } from '@marimo/contracts';
import type { Database, TenantTransaction } from '@marimo/postgres';
import { Refusal } from '@marimo/problems';
import type { LookUp, LookUps, RecordValues } from '@marimo/records';
import type { ServiceClient } from '@marimo/resilience';
import { askByIds } from './ask.ts';
import { idOf, type Mirror } from './mirror.ts';
import { holdStanding, insertStanding, isFilled } from './standing-store.ts';
import { getCopies, listCopies, upsertCopies } from './store.ts';

/** What a mirror knows, in the organisation of a transaction. */
export interface Copies<Copy> {
  /** For references to these records: `recordsOf(record, { ...deps, lookUps })`. Errors: Unavailable, as `find`. */
  readonly lookUps: LookUps;
  /**
   * By id, for a command. What is not known here, or known to be archived, is asked of the other service and kept.
   *
   * Errors: Unavailable, when it is away and does not say what is not known here.
   */
  find(tx: TenantTransaction, ids: readonly string[]): Promise<ReadonlyMap<string, Copy>>;
  /** By id, those that are known here; for pages that show their names. */
  get(tx: TenantTransaction, ids: readonly string[]): Promise<ReadonlyMap<string, Copy>>;
  /**
   * In the order of their ids.
   *
   * Errors: Unavailable, until all of them have arrived for the first time.
   */
  list(
    tx: TenantTransaction,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<Copy[]>;
}

export interface CopiesParts {
  readonly client: Pick<ServiceClient, 'call'>;
  readonly database: Pick<Database, 'inTenant'>;
}

/** The transaction stays open for that long at most; whoever waits for it wants an answer. */
const askedWithinMs = 3_000;

export function copiesOf<Copy>(mirror: Mirror<Copy>, { client, database }: CopiesParts): Copies<Copy> {
  const { fullName, service } = mirror.record;
  const byId = (rows: readonly RecordValues[]) =>
    new Map(rows.map((row) => [idOf(mirror, mirror.fromRow(row) as RecordValues), mirror.fromRow(row)]));
  const get = async (tx: TenantTransaction, ids: readonly string[]) => byId(await getCopies(tx, mirror, ids));

  async function find(tx: TenantTransaction, ids: readonly string[]): Promise<ReadonlyMap<string, Copy>> {
    const known = await get(tx, ids);
    const isUnsure = (id: string) => (known.get(id) as RecordValues | undefined)?.['archived'] !== false;
    const unsure = ids.filter(isUnsure);
    if (unsure.length === 0) return known;
    try {
      const asking = { client, organisationId: tx.tenantId, deadlineAt: Date.now() + askedWithinMs };
      const asked = await askByIds(mirror, asking, unsure);
      if ((await holdStanding(tx, fullName)) !== 'closed') await upsertCopies(tx, mirror, asked);
      return new Map([...known, ...asked.map((copy) => [idOf(mirror, copy), copy as Copy] as const)]);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (unsure.every((id) => known.has(id))) return known;
      throw Object.assign(new Unavailable({ service }, { retryAfterSeconds: 1 }), { cause: error });
    }
  }

  const lookUp: LookUp = async (tx, ids) => {
    const found = (await find(tx, ids)) as ReadonlyMap<string, RecordValues>;
    return new Map([...found].map(([id, { archived }]) => [id, { isArchived: archived === true }]));
  };

  return {
    lookUps: { [fullName]: lookUp },
    find,
    get,
    async list(tx, { after, limit }) {
      if (!(await isFilled(tx, fullName))) {
        // Beside the transaction of the caller, which is rolled back: so it is filled soon.
        await database.inTenant(tx.tenantId, (own) => insertStanding(own, fullName));
        throw new Unavailable({ service }, { retryAfterSeconds: 1 });
      }
      return [...byId(await listCopies(tx, mirror, { after, limit })).values()];
    },
  };
}
