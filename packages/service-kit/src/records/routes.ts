import type { AnyEndpoint } from '@marimo/contracts';
import {
  type Fields,
  type ParsedQuery,
  type RecordChange,
  type RecordDeclaration,
  type RecordValue,
  type Transitions,
  Version,
} from '@marimo/contracts/records';
import {
  type Author,
  listChanges,
  listForMirror,
  listRecords,
  type MirrorQuery,
  type Records,
  type Restriction,
  summariseRecords,
} from '@marimo/records';
import { etagOf } from '../http/etag.ts';
import { readPage } from '../http/page.ts';
import { requireFound } from '../http/require-found.ts';
import { handle, type Route, reply, type SignedInCall } from '../route.ts';
import type { Deps } from '../service.ts';
import { bulkRoute } from './bulk.ts';
import {
  type AnyOptions,
  type AnyRecords,
  commandsOf,
  ifVersionOf,
  type RecordRoutesOptions,
} from './commands.ts';
import { type FileDeps, fileHandlers } from './file-routes.ts';

/** What a contract's module says of its record: the declaration, and of its endpoints those that are served. */
type RecordModule<R> = { readonly record: R } & Readonly<Record<string, unknown>>;

type Values = Readonly<Record<string, unknown>>;
/** Endpoints whose types were checked where they were declared. */
type OwnCall = SignedInCall & { readonly params: Values; readonly query: ParsedQuery; readonly body: Values };

/**
 * Serves what the module of a record exports of its derived endpoints. `except` names those that the slice answers itself;
 * an endpoint that the module does not export does not exist.
 */
export function recordRoutes<
  Name extends string,
  F extends Fields,
  State extends string,
  T extends Transitions,
>(
  module: RecordModule<RecordDeclaration<Name, F, State, T>>,
  records: Records<
    RecordValue<Name, F, State>,
    RecordDeclaration<Name, F, State, T>['draft']['_output'],
    RecordDeclaration<Name, F, State, T>['patch']['_output'],
    keyof T & string
  >,
  deps: FileDeps,
  options: RecordRoutesOptions<
    RecordValue<Name, F, State>,
    RecordDeclaration<Name, F, State, T>['draft']['_output'],
    RecordDeclaration<Name, F, State, T>['patch']['_output'],
    keyof T & string
  > & { readonly except?: readonly string[] } = {},
): Route[] {
  const { except = [] } = options;
  const serving: Serving = {
    record: module.record as unknown as RecordDeclaration,
    records: records as unknown as AnyRecords,
    options: options as unknown as AnyOptions,
    deps,
  };
  const imports = module['importFile'] !== undefined && !except.includes('importFile');
  const files = fileHandlers({ ...serving, commands: commandsOf(serving.records, serving.options) }, imports);
  const handlers = { ...readers(serving), ...writers(serving), ...movers(serving), ...files };
  return Object.entries(handlers).flatMap(([name, handler]) => {
    const endpoint = module[name] as AnyEndpoint | undefined;
    if (endpoint === undefined || except.includes(name)) return [];
    return [handle(endpoint, (call) => handler(call as unknown as OwnCall) as never)];
  });
}

interface Serving {
  readonly record: RecordDeclaration;
  readonly records: AnyRecords;
  readonly options: AnyOptions;
  readonly deps: FileDeps;
}

type Handlers = Readonly<Record<string, (call: OwnCall) => Promise<unknown>>>;

function readers({ record, records, options, deps }: Serving): Handlers {
  const restrictionOf = (call: OwnCall) => options.restrict?.(call) ?? {};
  const find = (call: OwnCall) =>
    call.readInTenant((tx) => records.find(tx, idOf(call, record), restrictionOf(call)));
  return {
    list: async (call) =>
      reply(200, await call.readInTenant((tx) => listRecords(tx, record, call.query, restrictionOf(call)))),
    async mirror(call) {
      const asOf = deps.clock();
      const query = call.query as unknown as MirrorQuery;
      return reply(200, { ...(await call.readInTenant((tx) => listForMirror(tx, record, query))), asOf });
    },
    get: async (call) =>
      oneReply(200, withoutHidden(requireFound(await find(call), resourceOf(record)), restrictionOf(call))),
    async summary(call) {
      const timeZone = async () => (await deps.organisations.of(call)).timeZone;
      const restriction = { ...restrictionOf(call), timeZone };
      return reply(
        200,
        await call.readInTenant((tx) => summariseRecords(tx, record, call.query, restriction)),
      );
    },
    async history(call) {
      requireFound(await find(call), resourceOf(record));
      const newestFirst = {
        parts: [Version],
        keyOf: ({ version }: { version: number }) => [version],
      } as const;
      const page = await readPage(
        call.query as { limit: number; after?: string },
        newestFirst,
        ({ after, limit }) =>
          call.readInTenant((tx) =>
            listChanges(tx, record, idOf(call, record), { below: after?.[0], limit }),
          ),
      );
      return reply(200, { ...page, items: page.items.map((each) => visibleOf(each, restrictionOf(call))) });
    },
  };
}

function writers(serving: Serving): Handlers {
  const { record, records, options, deps } = serving;
  const commands = commandsOf(records, options);
  const changed = (command: Changing) => changing(serving, command);
  return {
    create: (call) =>
      call.inTenant(async (tx) => {
        const { record: stored, isNew } = await commands.create(tx, call.body, authorOf(call, deps));
        return oneReply(isNew ? 201 : 200, stored);
      }),
    change: changed((tx, present, call, author, how) => commands.change(tx, present, call.body, author, how)),
    archive: changed((tx, present, _, author, how) => commands.archive(tx, present, author, how)),
    restore: changed((tx, present, _, author, how) => commands.restore(tx, present, author, how)),
    bulk: bulkRoute({ record, records, commands, restrict: options.restrict, clock: deps.clock }),
  };
}

function movers(serving: Serving): Handlers {
  const commands = commandsOf(serving.records, serving.options);
  const moves = Object.keys(serving.record.transitions).map((action) => [
    action,
    changing(serving, (tx, present, call, author, how) =>
      commands.move(action)(tx, present, call.body, author, { ...how, told: call.body }),
    ),
  ]);
  return Object.fromEntries(moves);
}

type Changing = (
  tx: Parameters<AnyRecords['change']>[0],
  present: Values,
  call: OwnCall,
  author: Author,
  how: ReturnType<typeof ifVersionOf>,
) => Promise<Values>;

/** A command on one record that is there, locked for as long as it takes. */
function changing({ record, records, options, deps }: Serving, command: Changing) {
  return (call: OwnCall) =>
    call.inTenant(async (tx) => {
      const present = await records.lock(tx, idOf(call, record), options.restrict?.(call));
      const found = requireFound(present, resourceOf(record));
      const changed = await command(tx, found, call, authorOf(call, deps), ifVersionOf(call));
      return oneReply(200, withoutHidden(changed, options.restrict?.(call)));
    });
}

/** What is hidden looks as if it were absent. */
function withoutHidden(value: Values, { hidden = [] }: Restriction = {}): Values {
  return { ...value, ...Object.fromEntries(hidden.map((name) => [name, null])) };
}

function visibleOf(change: RecordChange, { hidden = [] }: Restriction): RecordChange {
  const isVisible = ({ field }: { field: string }) => !hidden.includes(field.split('.')[0] ?? '');
  return { ...change, changes: change.changes.filter(isVisible) };
}

function oneReply<S extends number>(status: S, value: Values) {
  return reply(status, value, { etag: etagOf(value['version'] as number) });
}

function idOf(call: OwnCall, { idField }: RecordDeclaration): string {
  return call.params[idField] as string;
}

function resourceOf({ labels }: RecordDeclaration): string {
  return labels.one.en.toLowerCase();
}

function authorOf(call: OwnCall, { clock }: Pick<Deps, 'clock'>): Author {
  return { userId: call.caller.userId, at: clock() };
}
