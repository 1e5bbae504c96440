import { KeyTaken, newId, RecordIdReused } from '@marimo/contracts';
import type { RecordDeclaration } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import { type Bound, changeToKeep, findRecord, tell } from './bound.ts';
import { readCustomValues } from './custom-fields.ts';
import { type Author, digestOf, insertChanges, listDigests } from './history.ts';
import { insertLines, withLineIds } from './lines.ts';
import { requireReferences } from './references.ts';
import type { RecordValues } from './rows.ts';
import { findTaken, insertRows } from './store.ts';

/** A record that was created, or found there already with the same content. */
export interface Created<Value> {
  readonly record: Value;
  readonly isNew: boolean;
}

export interface CreateOptions {
  /** It repeats what another record says, and must be possible when what that one refers to has been archived since. */
  readonly isCounterpart?: boolean;
}

interface Wanted {
  readonly draft: RecordValues;
  readonly values: RecordValues;
}

/** Inserts what is not there yet; an id that is there with the same content is a repetition. */
export async function createRecords(
  tx: TenantTransaction,
  bound: Bound,
  drafts: readonly RecordValues[],
  author: Author,
  { isCounterpart = false }: CreateOptions = {},
): Promise<Created<RecordValues>[]> {
  const { record, lookUps } = bound;
  const idOf = ({ values }: Wanted) => values[record.idField] as string;
  const wanted = drafts.map((draft) => ({ draft, values: newRecord(record, draft, author) }));
  const repeated = await findRepeated(tx, bound, wanted);
  const lacking = wanted.filter((each) => !repeated.has(each));
  const drafted = lacking.map((each) => each.values);
  const values = isCounterpart ? drafted : await readCustomValues(tx, record, drafted);
  const missing = lacking.map(({ draft }, place) => ({ draft, values: values[place] as RecordValues }));
  if (!isCounterpart) await requireReferences(tx, record, values, lookUps);
  const inserted = new Set(await insertRows(tx, record, values));
  // Somebody else was faster, with the same record or with one that has its key.
  const left = missing.filter((each) => !inserted.has(idOf(each)));
  const meanwhile = await findRepeated(tx, bound, left);
  const [taken] = left.filter((each) => !meanwhile.has(each));
  if (taken !== undefined) await refuseTaken(tx, record, taken.values);
  const added = missing.filter((each) => inserted.has(idOf(each)));
  await keepNew(tx, bound, added, author);
  const created = new Map(lacking.map((each, place) => [each, missing[place] as Wanted]));
  return wanted.map((each) => {
    const made = created.get(each) as Wanted;
    const present = repeated.get(each) ?? meanwhile.get(made);
    return present === undefined ? { record: made.values, isNew: true } : { record: present, isNew: false };
  });
}

function newRecord(record: RecordDeclaration, draft: RecordValues, { userId, at }: Author): RecordValues {
  const { idField, states, fields, hasCustomFields } = record;
  const own = Object.keys(fields).map((name) => [name, draft[name] ?? null]);
  return withLineIds(record, {
    [idField]: draft[idField] ?? newId(),
    ...Object.fromEntries(own),
    ...(states.length > 0 && { state: states[0] }),
    ...(hasCustomFields && { custom: draft['custom'] ?? {} }),
    archived: false,
    version: 1,
    createdAt: at,
    createdBy: userId,
    changedAt: at,
    changedBy: userId,
  });
}

async function findRepeated(
  tx: TenantTransaction,
  bound: Bound,
  wanted: readonly Wanted[],
): Promise<ReadonlyMap<Wanted, RecordValues>> {
  const { idField } = bound.record;
  const found = new Map<Wanted, RecordValues>();
  const named = wanted.filter(({ draft }) => draft[idField] !== undefined);
  if (named.length === 0) return found;
  const ids = named.map(({ draft }) => draft[idField] as string);
  const digests = await listDigests(tx, bound.record, ids);
  for (const each of named) {
    const id = each.draft[idField] as string;
    const digest = digests.get(id);
    if (digest === undefined) continue;
    if (!digest.equals(digestOf(each.draft))) throw new RecordIdReused({ id });
    found.set(each, (await findRecord(tx, bound, id)) as RecordValues);
  }
  return found;
}

async function refuseTaken(
  tx: TenantTransaction,
  record: RecordDeclaration,
  values: RecordValues,
): Promise<never> {
  const taken = await findTaken(tx, record, values);
  if (taken !== undefined) throw new KeyTaken(taken);
  throw new RecordIdReused({ id: values[record.idField] as string });
}

async function keepNew(
  tx: TenantTransaction,
  bound: Bound,
  added: readonly Wanted[],
  author: Author,
): Promise<void> {
  if (added.length === 0) return;
  const { record } = bound;
  const owners = added.map(({ values }) => ({ id: values[record.idField] as string, values }));
  await insertLines(tx, record, owners);
  const changes = added.map(({ draft, values }) =>
    changeToKeep(bound, 'created', {}, values, { digest: digestOf(draft) }),
  );
  await insertChanges(tx, record, author, changes);
  await tell(
    tx,
    bound,
    'created',
    added.map(({ values }) => values),
  );
}
