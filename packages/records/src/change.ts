import { FieldFixed, KeyTaken, RecordArchived, Stale, StateUnfit } from '@marimo/contracts';
import type { Fields, RecordDeclaration } from '@marimo/contracts/records';
import { type TenantTransaction, violatedConstraint } from '@marimo/postgres';
import { type Bound, changeToKeep, tell } from './bound.ts';
import { readCustomValues } from './custom-fields.ts';
import { type Author, insertChanges, isSameContent, listChangesSince } from './history.ts';
import { deleteLines, insertLines, withLineIds } from './lines.ts';
import { requireReferences } from './references.ts';
import type { RecordValues } from './rows.ts';
import { findTaken, updateRow } from './store.ts';

export interface ChangeOptions {
  /** The version that must still be the present one. */
  readonly ifVersion?: number | undefined;
  /** What a transition was told, such as a reason; the history keeps it. */
  readonly told?: unknown;
}

export interface MoveOptions extends ChangeOptions {
  /** What changes beside the state. */
  readonly patch?: RecordValues;
}

/** Writes the fields given, if anything is different. */
export async function changeRecord(
  tx: TenantTransaction,
  bound: Bound,
  present: RecordValues,
  patch: RecordValues,
  author: Author,
): Promise<RecordValues> {
  const given = await readPatch(tx, bound, present, patch);
  const changed = changedFields(present, given);
  if (changed.length === 0) return present;
  if (given['archived'] !== false) requireInUse(present);
  requireFree(bound.record, present, changed);
  return write(tx, bound, present, given, author, { action: 'changed', event: 'changed' });
}

/** Into the archive or back. */
export async function archiveRecord(
  tx: TenantTransaction,
  bound: Bound,
  present: RecordValues,
  archived: boolean,
  author: Author,
): Promise<RecordValues> {
  if (present['archived'] === archived) return present;
  const action = archived ? 'archived' : 'restored';
  return write(tx, bound, present, { archived }, author, { action, event: 'changed' });
}

/** To the state that the transition leads to. */
export async function moveRecord(
  tx: TenantTransaction,
  bound: Bound,
  present: RecordValues,
  action: string,
  author: Author,
  { patch = {}, told }: MoveOptions,
): Promise<RecordValues> {
  const transition = bound.record.transitions[action];
  if (transition === undefined) throw new Error(`${bound.record.fullName} knows no ${action}`);
  requireInUse(present);
  const state = present['state'] as string;
  const { from, to, event } = transition;
  if (!from.includes(state)) throw new StateUnfit({ state, states: [...from] });
  const given = await readPatch(tx, bound, present, patch);
  return write(tx, bound, present, { ...given, state: to }, author, { action, event, told });
}

/**
 * Holds the version that the caller has read against the present one.
 *
 * Errors: Stale, saying who has changed which fields since.
 */
export async function requireVersion(
  tx: TenantTransaction,
  { record }: Bound,
  present: RecordValues,
  { ifVersion }: ChangeOptions,
): Promise<void> {
  const version = present['version'] as number;
  if (ifVersion === undefined || ifVersion === version) return;
  const since = await listChangesSince(tx, record, present[record.idField] as string, ifVersion);
  const changes = since.map(({ version: to, by, at, changes: made }) => ({
    version: to,
    by,
    at: at.toISOString(),
    fields: made.map(({ field }) => field),
  }));
  throw new Stale({ etag: `"${version}"`, changes });
}

function changedFields(present: RecordValues, given: RecordValues): string[] {
  return Object.keys(given).filter((name) => !isSameContent(present[name], given[name]));
}

/** Of what is given, that which would change something. */
export function differing(present: RecordValues, given: RecordValues): RecordValues {
  const told = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const changed = changedFields(present, { ...told, ...mergedCustom(present, told) });
  return Object.fromEntries(changed.map((name) => [name, told[name]]));
}

function requireInUse({ archived }: RecordValues): void {
  if (archived === true) throw new RecordArchived({});
}

function requireFree({ fields }: RecordDeclaration, present: RecordValues, changed: readonly string[]): void {
  const state = (present['state'] as string | undefined) ?? null;
  const fixedFor = (name: string) => (fields as Fields)[name]?.fixed;
  const forEver = changed.filter((name) => fixedFor(name) === true);
  if (forEver.length > 0) throw new FieldFixed({ fields: forEver, state: null });
  const inState = changed.filter((name) => {
    const fixed = fixedFor(name);
    return Array.isArray(fixed) && fixed.includes(state);
  });
  if (inState.length > 0) throw new FieldFixed({ fields: inState, state });
}

/** The row, its lines, its history and its event. */
async function write(
  tx: TenantTransaction,
  bound: Bound,
  present: RecordValues,
  given: RecordValues,
  author: Author,
  { action, event, told }: { readonly action: string; readonly event: string; readonly told?: unknown },
): Promise<RecordValues> {
  const { record, lookUps } = bound;
  const id = present[record.idField] as string;
  const next = withLineIds(record, {
    ...present,
    ...given,
    version: (present['version'] as number) + 1,
    changedAt: author.at,
    changedBy: author.userId,
  });
  const changed = changedFields(present, next);
  const values = Object.fromEntries(changed.map((name) => [name, next[name]]));
  await requireReferences(tx, record, [values], lookUps);
  await requireUnique(tx, record, next, changed, () => updateRow(tx, record, next, changed));
  await deleteLines(tx, record, id, changed);
  await insertLines(tx, record, [{ id, values }]);
  await insertChanges(tx, record, author, [changeToKeep(bound, action, present, next, { told })]);
  await tell(tx, bound, event, [next]);
  return next;
}

/** Another record may take the value between the question and the answer; the table then refuses it. */
async function requireUnique(
  tx: TenantTransaction,
  record: RecordDeclaration,
  next: RecordValues,
  changed: readonly string[],
  update: () => Promise<void>,
): Promise<void> {
  const unique = changed.filter(
    (name) => record.key.includes(name) || (record.fields as Fields)[name]?.unique === true,
  );
  if (unique.length === 0) return update();
  const taken = await findTaken(tx, record, next);
  if (taken !== undefined) throw new KeyTaken(taken);
  try {
    await update();
  } catch (error) {
    if (violatedConstraint(error) === undefined) throw error;
    throw new KeyTaken({ fields: unique, id: null });
  }
}

/** The fields that are given, with custom values in the writing of their kind. */
async function readPatch(
  tx: TenantTransaction,
  { record }: Bound,
  present: RecordValues,
  patch: RecordValues,
): Promise<RecordValues> {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
  if (given['custom'] === undefined) return given;
  const all = { ...given, ...mergedCustom(present, given) };
  const [read = all] = await readCustomValues(tx, record, [all], present['custom'] as object);
  return read;
}

/** Custom fields are given one by one; null takes one away. */
function mergedCustom(present: RecordValues, { custom }: RecordValues): RecordValues {
  if (custom === undefined) return {};
  const all = Object.entries({ ...(present['custom'] as object), ...(custom as object) });
  return { custom: Object.fromEntries(all.filter(([, value]) => value !== null)) };
}
