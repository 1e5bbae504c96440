import { checkRow, FileRowRefused } from '@marimo/contracts';
import type { AnyRecord } from '@marimo/contracts/records';
import { checkCells } from '@marimo/file-import';
import type { TenantTransaction } from '@marimo/postgres';
import { Refusal } from '@marimo/problems';
import type { z } from 'zod';
import { type ChangeOptions, differing } from '../change.ts';
import type { Created } from '../create.ts';
import type { Restriction } from '../filters.ts';
import { type Author, canonical } from '../history.ts';
import type { Records } from '../records.ts';
import type { RecordValues } from '../rows.ts';
import type { GivenRecord } from './given-record.ts';
import { lockPresent } from './lock-present.ts';
import type { Referred } from './referred.ts';
import { resolveReferences } from './resolve-references.ts';

/** Everything that an import of one record's files needs, whoever asks for it. */
export interface ImportPlan {
  readonly record: AnyRecord;
  readonly records: Records<RecordValues, RecordValues, RecordValues, string>;
  /** The trade's own way to create one; many are stored at once without it. */
  readonly create:
    | ((tx: TenantTransaction, draft: RecordValues, author: Author) => Promise<Created<RecordValues>>)
    | undefined;
  readonly change: (
    tx: TenantTransaction,
    present: RecordValues,
    patch: RecordValues,
    author: Author,
    options: ChangeOptions,
  ) => Promise<RecordValues>;
  readonly author: Author;
  readonly restriction: Restriction;
  /** Errors: Forbidden, where whoever asked may create and not change. */
  readonly requireMayChange: () => void;
  readonly referred: Referred;
}

export type RowOutcome = { readonly row: GivenRecord } & (
  | { readonly kind: 'created' | 'changed' | 'repeated' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
);

/**
 * Creates what is not there and changes what differs, each row by itself: one that is refused leaves nothing. A row may
 * refer to one that this piece creates.
 */
export async function importPiece(
  tx: TenantTransaction,
  plan: ImportPlan,
  rows: readonly GivenRecord[],
): Promise<RowOutcome[]> {
  const outcomes: RowOutcome[] = [];
  for (let left = rows; left.length > 0; ) {
    const resolved = await resolveReferences(tx, plan.record, left, plan.referred);
    const waiting = left.filter(
      (row, place) => row.refusal === undefined && resolved[place]?.refusal !== undefined,
    );
    const done = await importResolved(
      tx,
      plan,
      resolved.filter((_, place) => !waiting.includes(left[place] as GivenRecord)),
    );
    outcomes.push(...done);
    if (waiting.length > 0 && !done.some(({ kind }) => kind === 'created')) {
      outcomes.push(
        ...resolved.filter((_, place) => waiting.includes(left[place] as GivenRecord)).map(refusedOf),
      );
      break;
    }
    left = waiting;
  }
  return outcomes;
}

const refusedOf = (row: GivenRecord): RowOutcome => ({
  row,
  kind: 'refused',
  refusal: row.refusal as Refusal,
});

interface Parsed {
  readonly row: GivenRecord;
  readonly id: string | undefined;
  readonly patch: RecordValues;
}

async function importResolved(
  tx: TenantTransaction,
  plan: ImportPlan,
  rows: readonly GivenRecord[],
): Promise<RowOutcome[]> {
  const { record, author } = plan;
  const outcomes: RowOutcome[] = [];
  const refuse = (row: GivenRecord, refusal: Refusal) => outcomes.push({ row, kind: 'refused', refusal });
  const parsed = rows.flatMap(
    (row) =>
      tried(
        () => [parse(record, row)],
        (refusal) => refuse(row, refusal),
      ) ?? [],
  );
  const find = await presentOf(tx, plan, parsed);
  const toCreate: { readonly row: GivenRecord; readonly draft: RecordValues }[] = [];
  const toChange: {
    readonly row: GivenRecord;
    readonly present: RecordValues;
    readonly patch: RecordValues;
  }[] = [];
  for (const each of parsed) {
    const { row } = each;
    const present = find(each);
    tried(
      () => {
        requireState(record, row, present);
        if (present === undefined) {
          toCreate.push({ row, draft: checked(record.draft, draftOf(row), row) as RecordValues });
          return;
        }
        const patch = differing(present, withLineIds(record, present, each.patch));
        if (Object.keys(patch).length === 0) outcomes.push({ row, kind: 'repeated' });
        else toChange.push({ row, present, patch });
      },
      (refusal) => refuse(row, refusal),
    );
  }
  await halving(
    tx,
    toCreate,
    (some) =>
      createAll(
        tx,
        plan,
        some.map(({ draft }) => draft),
      ),
    { kind: 'created', outcomes },
  );
  await halving(
    tx,
    toChange,
    async (some) => {
      plan.requireMayChange();
      for (const { present, patch } of some) await plan.change(tx, present, patch, author, {});
    },
    { kind: 'changed', outcomes },
  );
  return outcomes;
}

async function createAll(
  tx: TenantTransaction,
  { create, records, author }: ImportPlan,
  drafts: readonly RecordValues[],
): Promise<void> {
  if (create === undefined) await records.createAll(tx, drafts, author);
  else for (const draft of drafts) await create(tx, draft, author);
}

/** A blank cell of an own field takes its value away, and a new record has none yet. */
function draftOf({ given }: GivenRecord): RecordValues {
  const { state: _, custom, ...draft } = given;
  if (typeof custom !== 'object' || custom === null)
    return custom === undefined ? draft : { ...draft, custom };
  const filled = Object.entries(custom).filter(([, value]) => value !== null);
  return { ...draft, custom: Object.fromEntries(filled) };
}

function parse(record: AnyRecord, row: GivenRecord): Parsed {
  if (row.refusal !== undefined) throw row.refusal;
  const { [record.idField]: id, state: _, ...fields } = row.given;
  const patch = checked(record.patch, fields, row) as RecordValues;
  return { row, id: id === null ? undefined : (id as string | undefined), patch };
}

function checked<S extends z.ZodType>(schema: S, value: unknown, { placeOf }: GivenRecord): z.output<S> {
  return placeOf === undefined ? checkRow(schema, value) : checkCells(schema, value, placeOf);
}

function tried<R>(work: () => R, refuse: (refusal: Refusal) => void): R | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(error);
    return undefined;
  }
}

/** What is there of these already: by the id that the file gives, or else by the key. */
async function presentOf(
  tx: TenantTransaction,
  { record, restriction }: ImportPlan,
  parsed: readonly Parsed[],
) {
  const keyOf = (values: RecordValues) => canonical(record.key.map((field) => values[field]));
  const hasKey = ({ patch }: Parsed) =>
    record.key.length > 0 && record.key.every((field) => patch[field] !== undefined && patch[field] !== null);
  const ids = parsed.flatMap(({ id }) => (isId(id) ? [id] : []));
  const keys = parsed.filter(hasKey).map(({ patch }) => patch);
  const present = await lockPresent(tx, record, { ids, keys }, restriction);
  const byId = new Map(present.map((each) => [each[record.idField], each]));
  const byKey = new Map(record.key.length === 0 ? [] : present.map((each) => [keyOf(each), each]));
  return (each: Parsed) =>
    (each.id === undefined ? undefined : byId.get(each.id.toLowerCase())) ??
    (hasKey(each) ? byKey.get(keyOf(each.patch)) : undefined);
}

/** What is none is refused when the draft is checked. */
const isId = (id: string | undefined): id is string =>
  typeof id === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id);

/** A file does not move records: their state changes by commands, each with its own right. */
function requireState(
  { states }: AnyRecord,
  { line, given, placeOf }: GivenRecord,
  present: RecordValues | undefined,
): void {
  const { state } = given;
  const is = present === undefined ? states[0] : present['state'];
  if (state === undefined || state === null || state === is) return;
  const place = placeOf?.(['state']) ?? { row: line, column: 'state' };
  const detail =
    present === undefined
      ? `a new record begins as ${String(is)}`
      : `it is ${String(is)}; an import does not change that`;
  throw new FileRowRefused({ cells: [{ ...place, detail }] });
}

/** Files have no ids of lines: a line keeps that of the one in its place. */
function withLineIds({ fields }: AnyRecord, present: RecordValues, patch: RecordValues): RecordValues {
  const lines = Object.entries(patch).filter(
    ([name]) => (fields as Record<string, { kind: string }>)[name]?.kind === 'lines',
  );
  const named = lines.map(([name, given]) => {
    const before = (present[name] as RecordValues[] | undefined) ?? [];
    const after = (given as RecordValues[] | undefined)?.map((line, place) => ({
      ...line,
      ...((line['lineId'] ?? before[place]?.['lineId']) !== undefined && {
        lineId: line['lineId'] ?? before[place]?.['lineId'],
      }),
    }));
    return [name, after];
  });
  return { ...patch, ...Object.fromEntries(named) };
}

/** All at once; where one of them is refused, each half by itself, down to the one. */
async function halving<Item extends { readonly row: GivenRecord }>(
  tx: TenantTransaction,
  items: readonly Item[],
  work: (some: readonly Item[]) => Promise<void>,
  { kind, outcomes }: { readonly kind: 'created' | 'changed'; readonly outcomes: RowOutcome[] },
): Promise<void> {
  const [first] = items;
  if (first === undefined) return;
  try {
    await tx.attempt(() => work(items));
    outcomes.push(...items.map(({ row }) => ({ row, kind })));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (items.length === 1) {
      outcomes.push({ row: first.row, kind: 'refused', refusal: error });
      return;
    }
    const half = Math.ceil(items.length / 2);
    await halving(tx, items.slice(0, half), work, { kind, outcomes });
    await halving(tx, items.slice(half), work, { kind, outcomes });
  }
}
