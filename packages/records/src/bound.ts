import type { EventDefinition } from '@marimo/contracts';
import type { RecordDeclaration } from '@marimo/contracts/records';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import type { Restriction } from './filters.ts';
import { type ChangeToKeep, differences } from './history.ts';
import { lineTables, listLines } from './lines.ts';
import type { LookUps } from './references.ts';
import type { RecordValues } from './rows.ts';
import { getRow, lockRow } from './store.ts';

/** A declaration with all that its commands need. */
export interface Bound {
  readonly record: RecordDeclaration;
  readonly events: Readonly<Record<string, EventDefinition>>;
  readonly outbox: Outbox;
  readonly lookUps: LookUps;
}

/** The record with its lines; `lock` keeps it from other changes. */
export async function findRecord(
  tx: TenantTransaction,
  { record }: Bound,
  id: string,
  {
    restriction,
    lock = false,
  }: { readonly restriction?: Restriction | undefined; readonly lock?: boolean } = {},
): Promise<RecordValues | undefined> {
  const found = await (lock ? lockRow : getRow)(tx, record, id, restriction);
  if (found === undefined || lineTables(record).length === 0) return found;
  return { ...found, ...(await listLines(tx, record, [id])).get(id) };
}

/** What the history keeps of a change. */
export function changeToKeep(
  { record }: Bound,
  action: string,
  before: RecordValues,
  after: RecordValues,
  more: Pick<ChangeToKeep, 'digest' | 'told'> = {},
): ChangeToKeep {
  return {
    id: after[record.idField] as string,
    version: after['version'] as number,
    action,
    changes: differences(record, before, after),
    ...more,
  };
}

/** Adds the event to the outbox, once for each record. */
export async function tell(
  tx: TenantTransaction,
  { record, events, outbox }: Bound,
  what: string,
  records: readonly RecordValues[],
): Promise<void> {
  const event = events[what];
  if (event === undefined) throw new Error(`${record.fullName} has no event ${what}`);
  const toAdd = records.map((data) => ({ subject: data[record.idField] as string, data }));
  await outbox.addAll(tx, event, toAdd);
}
