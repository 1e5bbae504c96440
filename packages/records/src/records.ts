import {
  eventsOf,
  type Fields,
  type RecordDeclaration,
  type RecordValue,
  type Transitions,
} from '@marimo/contracts/records';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import { type Bound, findRecord } from './bound.ts';
import { archiveRecord, type ChangeOptions, changeRecord, moveRecord, requireVersion } from './change.ts';
import { type Created, type CreateOptions, createRecords } from './create.ts';
import type { Restriction } from './filters.ts';
import type { Author } from './history.ts';
import type { LookUps } from './references.ts';
import type { RecordValues } from './rows.ts';

/**
 * The records of one declaration in their table. A command of the trade is a plain function that takes the transaction,
 * holds its own rules and then calls one of these; each writes the row, its lines, its history and its event.
 */
export interface Records<Value, Draft, Patch, Action extends string> {
  /** Undefined also where the restriction hides it. */
  find(tx: TenantTransaction, id: string, restriction?: Restriction): Promise<Value | undefined>;
  /** For a change: nobody else changes it until the transaction ends. */
  lock(tx: TenantTransaction, id: string, restriction?: Restriction): Promise<Value | undefined>;
  /** Errors: RecordIdReused, KeyTaken, ReferenceUnknown. */
  create(
    tx: TenantTransaction,
    draft: Draft,
    author: Author,
    options?: CreateOptions,
  ): Promise<Created<Value>>;
  /** Many at once, in few statements. Errors: as `create`, for the first that is refused. */
  createAll(tx: TenantTransaction, drafts: readonly Draft[], author: Author): Promise<Created<Value>[]>;
  /** `present` comes from `lock`; a command may archive or restore with the same change. Errors: Stale, RecordArchived, FieldFixed, KeyTaken, ReferenceUnknown. */
  change(
    tx: TenantTransaction,
    present: Value,
    patch: Patch & { readonly archived?: boolean | undefined },
    author: Author,
    options?: ChangeOptions,
  ): Promise<Value>;
  /** Errors: Stale. */
  archive(tx: TenantTransaction, present: Value, author: Author, options?: ChangeOptions): Promise<Value>;
  restore(tx: TenantTransaction, present: Value, author: Author, options?: ChangeOptions): Promise<Value>;
  /** To the next state, with whatever else changes. Errors: Stale, StateUnfit, RecordArchived, as `change`. */
  move(
    tx: TenantTransaction,
    present: Value,
    action: Action,
    author: Author,
    options?: ChangeOptions & { readonly patch?: Patch },
  ): Promise<Value>;
}

export interface RecordParts {
  readonly outbox: Outbox;
  /** Records of other services that it refers to. */
  readonly lookUps?: LookUps;
}

/** Binds a declaration to its table. */
export function recordsOf<Name extends string, F extends Fields, State extends string, T extends Transitions>(
  declaration: RecordDeclaration<Name, F, State, T>,
  { outbox, lookUps = {} }: RecordParts,
): Records<
  RecordValue<Name, F, State>,
  (typeof declaration.draft)['_output'],
  (typeof declaration.patch)['_output'],
  keyof T & string
> {
  const record = declaration as unknown as RecordDeclaration;
  const stored = storedRecords({ record, events: eventsOf(record), outbox, lookUps });
  // The values are built field by field; what they come to, the declaration's types say.
  return stored as unknown as ReturnType<typeof recordsOf<Name, F, State, T>>;
}

function storedRecords(bound: Bound): Records<RecordValues, RecordValues, RecordValues, string> {
  return {
    find: (tx, id, restriction) => findRecord(tx, bound, id, { restriction }),
    lock: (tx, id, restriction) => findRecord(tx, bound, id, { restriction, lock: true }),
    async create(tx, draft, author, options) {
      const [created] = await createRecords(tx, bound, [draft], author, options);
      return created as Created<RecordValues>;
    },
    createAll: (tx, drafts, author) => createRecords(tx, bound, drafts, author),
    async change(tx, present, patch, author, options = {}) {
      await requireVersion(tx, bound, present, options);
      return changeRecord(tx, bound, present, patch, author);
    },
    async archive(tx, present, author, options = {}) {
      await requireVersion(tx, bound, present, options);
      return archiveRecord(tx, bound, present, true, author);
    },
    async restore(tx, present, author, options = {}) {
      await requireVersion(tx, bound, present, options);
      return archiveRecord(tx, bound, present, false, author);
    },
    async move(tx, present, action, author, options = {}) {
      await requireVersion(tx, bound, present, options);
      return moveRecord(tx, bound, present, action, author, options);
    },
  };
}
