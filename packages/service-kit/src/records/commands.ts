import type { Fields, RecordDeclaration, RecordValue, Transitions } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import type { Author, ChangeOptions, Created, Records, ReferredRecord, Restriction } from '@marimo/records';
import type { Call, SignedInCall } from '../route.ts';

/** What a command of the trade is given and gives back: the rules first, then the same command of the `Records`. */
export type CreateCommand<Value, Draft> = (
  tx: TenantTransaction,
  draft: Draft,
  author: Author,
) => Promise<Created<Value>>;
export type ChangeCommand<Value, Patch> = (
  tx: TenantTransaction,
  present: Value,
  patch: Patch,
  author: Author,
  options: ChangeOptions,
) => Promise<Value>;
/** `body`: what the transition declares to be told. */
export type MoveCommand<Value> = (
  tx: TenantTransaction,
  present: Value,
  body: never,
  author: Author,
  options: ChangeOptions,
) => Promise<Value>;
type ArchiveCommand<Value> = (
  tx: TenantTransaction,
  present: Value,
  author: Author,
  options: ChangeOptions,
) => Promise<Value>;

/** Commands that do more than store; those left out store. They hold for single requests, bulk and import alike. */
export interface Commands<Value, Draft, Patch, Action extends string> {
  readonly create?: CreateCommand<Value, Draft>;
  readonly change?: ChangeCommand<Value, Patch>;
  readonly archive?: ArchiveCommand<Value>;
  readonly restore?: ArchiveCommand<Value>;
  readonly moves?: { readonly [A in Action]?: MoveCommand<Value> };
}

export interface RecordRoutesOptions<Value, Draft, Patch, Action extends string>
  extends Commands<Value, Draft, Patch, Action> {
  /** What the caller may see; everything unless told. */
  readonly restrict?: (call: SignedInCall) => Restriction;
  /** Records of this service that it refers to: files show and take their keys in place of ids. */
  readonly refersTo?: readonly ReferredRecord[];
}

export type DraftOf<R> =
  R extends RecordDeclaration<string, Fields, string, Transitions> ? R['draft']['_output'] : never;
export type ValueOf<R> =
  R extends RecordDeclaration<infer Name, infer F, infer State, Transitions>
    ? RecordValue<Name, F, State>
    : never;

type Values = Readonly<Record<string, unknown>>;
export type AnyCommands = {
  readonly create: CreateCommand<Values, Values>;
  readonly change: ChangeCommand<Values, Values>;
  readonly archive: ArchiveCommand<Values>;
  readonly restore: ArchiveCommand<Values>;
  move(
    action: string,
  ): (
    tx: TenantTransaction,
    present: Values,
    body: unknown,
    author: Author,
    options: ChangeOptions,
  ) => Promise<Values>;
};
export type AnyRecords = Records<Values, Values, Values, string>;
export type AnyOptions = RecordRoutesOptions<Values, Values, Values, string>;

/** The commands of the trade, and for the rest those that store. */
export function commandsOf(records: AnyRecords, options: AnyOptions): AnyCommands {
  return {
    create: options.create ?? ((tx, draft, author) => records.create(tx, draft, author)),
    change:
      options.change ??
      ((tx, present, patch, author, how) => records.change(tx, present, patch, author, how)),
    archive: options.archive ?? ((tx, present, author, how) => records.archive(tx, present, author, how)),
    restore: options.restore ?? ((tx, present, author, how) => records.restore(tx, present, author, how)),
    move(action) {
      const own = options.moves?.[action] as ReturnType<AnyCommands['move']> | undefined;
      return own ?? ((tx, present, _, author, how) => records.move(tx, present, action, author, how));
    },
  };
}

/** The version that `If-Match` names; a tag that is none of ours matches nothing. */
export function ifVersionOf({ ifMatch }: Pick<Call, 'ifMatch'>): ChangeOptions {
  if (ifMatch === undefined || ifMatch.trim() === '*') return {};
  const version = /^\s*"(\d{1,9})"\s*$/.exec(ifMatch)?.[1];
  return { ifVersion: version === undefined ? 0 : Number(version) };
}
