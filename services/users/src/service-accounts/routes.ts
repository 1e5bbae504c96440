import { Absent } from '@marimo/contracts';
import { limits, serviceAccounts } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { type Deps, demandMatch, etagOf, handle, type Route, reply } from '@marimo/service-kit';
import { lockOrganisation } from '../organisations/index.ts';
import { voidKeyTokensOf } from './keys.ts';
import { pageFrom, positionIn } from './page.ts';
import {
  accountsBefore,
  enabledAccounts,
  findAccount,
  insertAccount,
  lockAccount,
  updateAccount,
} from './store.ts';

export function accountRoutes(deps: Deps): readonly Route[] {
  return [...readingRoutes(), creatingRoute(deps), renamingRoute(deps), ...switchingRoutes(deps)];
}

function readingRoutes(): readonly Route[] {
  return [
    handle(serviceAccounts.list, async (call) => {
      const { limit } = call.query;
      const wanted = { before: positionIn(call.query), limit: limit + 1 };
      const found = await call.readInTenant((tx) => accountsBefore(tx, wanted));
      return reply(
        200,
        pageFrom(found, limit, ({ accountId }) => accountId),
      );
    }),

    handle(serviceAccounts.get, async (call) => {
      const account = await call.readInTenant((tx) => findAccount(tx, call.params.accountId));
      return reply(200, demandAccount(account), etag(demandAccount(account)));
    }),
  ];
}

function creatingRoute({ outbox, clock }: Deps): Route {
  return handle(serviceAccounts.create, (call) =>
    call.inTenant(async (tx) => {
      const { accountId, name } = call.body;
      await lockOrganisation(tx);
      const room = await hasRoom(tx);
      const account = await insertAccount(tx, { accountId, name, createdBy: call.caller.userId }, clock());
      if (account === undefined) {
        const present = await findAccount(tx, accountId);
        if (present?.name !== name) throw new serviceAccounts.ServiceAccountConflict({ accountId });
        return reply(200, present, etag(present));
      }
      if (!room) throw noRoom();
      await outbox.add(tx, serviceAccounts.created, accountId, account);
      return reply(201, account, etag(account));
    }),
  );
}

function renamingRoute({ outbox }: Deps): Route {
  return handle(serviceAccounts.change, (call) =>
    call.inTenant(async (tx) => {
      const present = demandAccount(await lockAccount(tx, call.params.accountId));
      demandMatch(call, present.version);
      const { name } = call.body;
      if (name === present.name) return reply(200, present, etag(present));
      const account = await updateAccount(tx, { ...present, name });
      await outbox.add(tx, serviceAccounts.changed, account.accountId, account);
      return reply(200, account, etag(account));
    }),
  );
}

function switchingRoutes({ outbox, clock }: Deps): readonly Route[] {
  const setDisabled = async (tx: Transaction, accountId: string, disabled: boolean) => {
    if (!disabled) await lockOrganisation(tx);
    const present = demandAccount(await lockAccount(tx, accountId));
    if ((present.disabledAt !== null) === disabled) return reply(200, present, etag(present));
    if (!disabled && !(await hasRoom(tx))) throw noRoom();
    const now = clock();
    const account = await updateAccount(tx, { ...present, disabledAt: disabled ? now.toISOString() : null });
    if (disabled) await voidKeyTokensOf(tx, { accountId }, now);
    const happened = disabled ? serviceAccounts.disabled : serviceAccounts.enabled;
    await outbox.add(tx, happened, accountId, account);
    return reply(200, account, etag(account));
  };
  return [
    handle(serviceAccounts.disable, (call) =>
      call.inTenant((tx) => setDisabled(tx, call.params.accountId, true)),
    ),
    handle(serviceAccounts.enable, (call) =>
      call.inTenant((tx) => setDisabled(tx, call.params.accountId, false)),
    ),
  ];
}

/** For one more that is enabled. In the organisation's lock. */
async function hasRoom(tx: Transaction): Promise<boolean> {
  return (await enabledAccounts(tx)) < limits.mostAtATime.serviceAccounts;
}

function noRoom(): limits.LimitReached {
  return new limits.LimitReached({ limited: 'serviceAccounts', most: limits.mostAtATime.serviceAccounts });
}

function demandAccount(account: serviceAccounts.ServiceAccount | undefined): serviceAccounts.ServiceAccount {
  if (account === undefined) throw new Absent({ resource: 'service account' });
  return account;
}

function etag({ version }: serviceAccounts.ServiceAccount): { etag: string } {
  return { etag: etagOf(version) };
}
