import { type AnyEndpoint, FieldFixed } from '@marimo/contracts';
import type { AnyDocument, DocumentDeclaration, DocumentValue, Fields } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import type { Author, ChangeOptions, Created, Restriction } from '@marimo/records';
import {
  type Deps,
  etagOf,
  handle,
  type Route,
  recordRoutes,
  reply,
  requireFound,
  type SignedInCall,
} from '@marimo/service-kit';
import type { Documents } from './documents.ts';

/** What the contract's module says: the declaration, and of its endpoints those that are served. */
type DocumentModule<D> = { readonly record: D } & Readonly<Record<string, unknown>>;

type Command<Value, Told> = (
  tx: TenantTransaction,
  present: Value,
  told: Told,
  author: Author,
  options: ChangeOptions,
) => Promise<Value>;

/** Commands of the trade; those left out do what every document does. They hold for single requests and in bulk. */
export interface DocumentCommands<Value, Draft, Patch> {
  readonly create?: (tx: TenantTransaction, draft: Draft, author: Author) => Promise<Created<Value>>;
  readonly change?: Command<Value, Patch>;
  readonly post?: Command<Value, undefined>;
  readonly cancel?: Command<Value, { readonly reason: string }>;
  readonly reverse?: Command<Value, { readonly date: string }>;
  readonly restrict?: (call: SignedInCall) => Restriction;
}

/** Serves what the module of a document exports of its endpoints. */
export function documentRoutes<Name extends string, F extends Fields, Totals extends Fields>(
  module: DocumentModule<DocumentDeclaration<Name, F, Totals>>,
  documents: Documents<
    DocumentValue<DocumentDeclaration<Name, F, Totals>>,
    DocumentDeclaration<Name, F, Totals>['draft']['_output'],
    DocumentDeclaration<Name, F, Totals>['patch']['_output']
  >,
  deps: Deps,
  commands: DocumentCommands<
    DocumentValue<DocumentDeclaration<Name, F, Totals>>,
    DocumentDeclaration<Name, F, Totals>['draft']['_output'],
    DocumentDeclaration<Name, F, Totals>['patch']['_output']
  > = {},
): Route[] {
  const neverArchived = async (_: TenantTransaction, { state }: Values): Promise<never> => {
    throw new FieldFixed({ fields: ['archived'], state: state as string });
  };
  const given = documents as unknown as AnyDocuments;
  const own = commands as unknown as DocumentCommands<Values, Values, Values>;
  const options = {
    create: own.create ?? given.create,
    change: own.change ?? given.change,
    archive: neverArchived,
    restore: neverArchived,
    moves: { ...usualMoves(given), ...own },
    ...(own.restrict !== undefined && { restrict: own.restrict }),
  };
  const routes = recordRoutes(module as never, documents.records as never, deps, options as never);
  const copy = module['copy'] as AnyEndpoint | undefined;
  return copy === undefined ? routes : [...routes, copyRoute(copy, module.record, given, deps, own.restrict)];
}

type Values = Readonly<Record<string, unknown>>;
type AnyDocuments = Documents<Values, Values, Values>;

function usualMoves(documents: AnyDocuments) {
  return {
    post: (tx, present, _, author, how) => documents.post(tx, present, author, how),
    cancel: (tx, present, { reason }, author, how) => documents.cancel(tx, present, reason, author, how),
    async reverse(tx, present, { date }, author, how) {
      return (await documents.reverse(tx, present, date, author, how)).original;
    },
  } satisfies DocumentCommands<Values, Values, Values>;
}

function copyRoute(
  endpoint: AnyEndpoint,
  { idField, labels }: Pick<AnyDocument, 'idField' | 'labels'>,
  documents: AnyDocuments,
  { clock }: Pick<Deps, 'clock'>,
  restrict: ((call: SignedInCall) => Restriction) | undefined,
): Route {
  return handle(endpoint, (given) => {
    const call = given as unknown as SignedInCall & {
      readonly params: Values;
      readonly body: { readonly date: string };
    };
    return call.inTenant(async (tx) => {
      const found = await documents.records.find(tx, call.params[idField] as string, restrict?.(call));
      const present = requireFound(found, labels.one.en.toLowerCase());
      const copied = await documents.copy(tx, present, call.body.date, {
        userId: call.caller.userId,
        at: clock(),
      });
      return reply(201, copied, { etag: etagOf(copied['version'] as number) });
    });
  });
}
