import { limits, serviceAccounts } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import {
  type Deps,
  etagOf,
  handle,
  type Route,
  readPage,
  reply,
  requireFound,
  requireMatch,
} from '@marimo/service-kit';
import { lockOrganisation } from '../../organisations/organisations/index.ts';
import { voidKeyTokensOf } from './keys.ts';
import { newestAccounts } from './page.ts';
import {
  countEnabledAccounts,
  getAccount,
  insertAccount,
  listAccounts,
  lockAccount,
  updateAccount,
} from './store.ts';

export function accountRoutes(deps: Deps): readonly Route[] {
  return [...readingRoutes(), creatingRoute(deps), renamingRoute(deps), ...switchingRoutes(deps)];
}

function readingRoutes(): readonly Route[] {
  return [
    handle(serviceAccounts.list, async (call) => {
      const page = await readPage(call.query, newestAccounts, (slice) =>
        call.readInTenant((tx) => listAccounts(tx, slice)),
      );
      return reply(200, page);
    }),

    handle(serviceAccounts.get, async (call) => {
      const found = await call.readInTenant((tx) => getAccount(tx, call.params.accountId));
      const account = requireFound(found, 'service account');
      return reply(200, account, etag(account));
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
        const present = await getAccount(tx, accountId);
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
      const present = requireFound(await lockAccount(tx, call.params.accountId), 'service account');
      requireMatch(call, present.version);
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
    const present = requireFound(await lockAccount(tx, accountId), 'service account');
    if ((present.disabledAt !== null) === disabled) return reply(200, present, etag(present));
    if (!disabled && !(await hasRoom(tx))) throw noRoom();
    const now = clock();
    const account = await updateAccount(tx, { ...present, disabledAt: disabled ? now : null });
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
  return (await countEnabledAccounts(tx)) < limits.mostAtATime.serviceAccounts;
}

function noRoom(): limits.LimitReached {
  return new limits.LimitReached({ limited: 'serviceAccounts', most: limits.mostAtATime.serviceAccounts });
}

function etag({ version }: serviceAccounts.ServiceAccount): { etag: string } {
  return { etag: etagOf(version) };
}
