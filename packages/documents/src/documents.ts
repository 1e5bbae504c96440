import { ReversalBeforeOriginal, StateUnfit, TotalsOutOfDate } from '@marimo/contracts';
import type { AnyDocument, DocumentDeclaration, DocumentValue, Fields } from '@marimo/contracts/records';
import { takeNumber } from '@marimo/numbering';
import type { TenantTransaction } from '@marimo/postgres';
import {
  type Author,
  type ChangeOptions,
  type Created,
  isSameContent,
  type RecordParts,
  type Records,
  recordsOf,
} from '@marimo/records';

/**
 * The documents of one declaration. A command of the trade is a plain function that takes the transaction, does its own work,
 * such as moving stock, and calls one of these last: a number without gaps keeps others waiting until the transaction ends.
 */
export interface Documents<Value, Draft, Patch> {
  readonly records: Records<Value, Draft, Patch, 'post' | 'cancel' | 'reverse'>;
  /** A draft with its totals. Errors: as of records. */
  create(tx: TenantTransaction, draft: Draft, author: Author): Promise<Created<Value>>;
  /** Errors: StateUnfit where it is no draft, and those of records. */
  change(
    tx: TenantTransaction,
    present: Value,
    patch: Patch,
    author: Author,
    options?: ChangeOptions,
  ): Promise<Value>;
  /** Gives it the next number of its day. Errors: StateUnfit, Stale, TotalsOutOfDate. */
  post(tx: TenantTransaction, present: Value, author: Author, options?: ChangeOptions): Promise<Value>;
  /** A draft that is not wanted any more. Errors: StateUnfit, Stale. */
  cancel(
    tx: TenantTransaction,
    present: Value,
    reason: string,
    author: Author,
    options?: ChangeOptions,
  ): Promise<Value>;
  /**
   * Posts a document with the same content, its own day and number, that refers to this one. Both keep their signs: it is for the
   * trade to book the other way round what has `reversalOfId`. Errors: StateUnfit, Stale, ReversalBeforeOriginal.
   */
  reverse(
    tx: TenantTransaction,
    present: Value,
    day: string,
    author: Author,
    options?: ChangeOptions,
  ): Promise<{ readonly original: Value; readonly reversal: Value }>;
  /** A new draft of another day. Errors: ReferenceUnknown for what has been archived since. */
  copy(tx: TenantTransaction, present: Value, day: string, author: Author): Promise<Value>;
}

export interface DocumentParts<Value> extends RecordParts {
  /**
   * The totals of a document, and its lines where they have amounts of their own: a pure function of the other fields. Called
   * whenever these change, and once more when the document is posted.
   */
  totals(values: Value): Readonly<Partial<Value>>;
}

/** Binds a declaration to its table. */
export function documentsOf<Name extends string, F extends Fields, Totals extends Fields>(
  declaration: DocumentDeclaration<Name, F, Totals>,
  parts: DocumentParts<DocumentValue<DocumentDeclaration<Name, F, Totals>>>,
): Documents<
  DocumentValue<DocumentDeclaration<Name, F, Totals>>,
  (typeof declaration.draft)['_output'],
  (typeof declaration.patch)['_output']
> {
  const document = declaration as unknown as AnyDocument;
  const records = recordsOf(document, parts) as unknown as Stored['records'];
  const bound = { document, records, totals: parts.totals as unknown as Stored['totals'] };
  // The values are built field by field; what they come to, the declaration's types say.
  return storedDocuments(bound) as unknown as ReturnType<typeof documentsOf<Name, F, Totals>>;
}

type Values = Readonly<Record<string, unknown>>;

interface Stored {
  readonly document: AnyDocument;
  readonly records: Records<Values, Values, Values, string>;
  totals(values: Values): Values;
}

function storedDocuments(stored: Stored): Documents<Values, Values, Values> {
  const { document, records, totals } = stored;
  const create = (tx: TenantTransaction, draft: Values, author: Author) =>
    records.create(tx, { ...draft, ...totals(draft) }, author);
  return {
    records: records as Documents<Values, Values, Values>['records'],
    create,
    async change(tx, present, patch, author, options) {
      const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
      requireState(present, 'draft');
      const changed = { ...given, ...totals({ ...present, ...given }) };
      return records.change(tx, present, changed, author, options);
    },
    async post(tx, present, author, options) {
      requireState(present, 'draft');
      requireTotals(stored, present);
      return postWithNumber(tx, stored, present, author, options);
    },
    cancel: (tx, present, reason, author, options) =>
      records.move(tx, present, 'cancel', author, { ...options, patch: { cancelReason: reason } }),
    async reverse(tx, present, day, author, options) {
      requireState(present, 'posted');
      const date = present[document.date] as string;
      if (day < date) throw new ReversalBeforeOriginal({ date });
      const originalId = present[document.idField];
      const content = { ...contentOf(document, present), ...totalsIn(document, present) };
      const draft = { ...content, [document.date]: day, reversalOfId: originalId };
      const { record } = await records.create(tx, draft, author, { isCounterpart: true });
      const patch = { reversedById: record[document.idField] };
      const original = await records.move(tx, present, 'reverse', author, { ...options, patch });
      return { original, reversal: await postWithNumber(tx, stored, record, author) };
    },
    async copy(tx, present, day, author) {
      const draft = { ...contentOf(document, present), [document.date]: day };
      return (await create(tx, draft, author)).record;
    },
  };
}

async function postWithNumber(
  tx: TenantTransaction,
  { document, records }: Stored,
  present: Values,
  author: Author,
  options: ChangeOptions = {},
): Promise<Values> {
  const number = await takeNumber(tx, document.series, present[document.date] as string);
  return records.move(tx, present, 'post', author, { ...options, patch: { number } });
}

function requireState({ state }: Values, wanted: string): void {
  if (state !== wanted) throw new StateUnfit({ state: state as string, states: [wanted] });
}

/** What was stored with the draft is what people have seen; a new version of the service may compute otherwise. */
function requireTotals({ totals }: Stored, present: Values): void {
  const fields = Object.entries(totals(present))
    .filter(([name, value]) => !isSameContent(value, present[name]))
    .map(([name]) => name);
  if (fields.length > 0) throw new TotalsOutOfDate({ fields });
}

/** What people have entered; the lines without their ids, which stay with their document. */
function contentOf({ fields }: AnyDocument, present: Values): Values {
  const own = Object.entries(fields as Fields).filter(([, { isDerived }]) => !isDerived);
  const values = own.map(([name, { kind }]) => [
    name,
    kind === 'lines' ? (present[name] as Values[]).map(withoutId) : present[name],
  ]);
  return { ...Object.fromEntries(values), ...('custom' in present && { custom: present['custom'] }) };
}

function withoutId(line: Values): Values {
  return Object.fromEntries(Object.entries(line).filter(([name]) => name !== 'lineId'));
}

function totalsIn({ totals }: AnyDocument, present: Values): Values {
  return Object.fromEntries(totals.map((name) => [name, present[name]]));
}
