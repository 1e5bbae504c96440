import { accounts } from '@marimo/contracts/accounting';
import type { TenantTransaction } from '@marimo/postgres';
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
import { z } from 'zod';
import { type AccountOutcome, planAccounts, requireFitParent } from './accounts.ts';
import { readChart } from './chart-file.ts';
import {
  getAccount,
  insertAccounts,
  listAccounts,
  listAccountsByCodes,
  listCodesInUseBelow,
  lockChart,
  standsBelow,
  updateAccount,
} from './store.ts';
import { chartTemplates, newAccountsOf } from './templates/index.ts';

const byCode = { parts: [z.string()], keyOf: ({ code }: accounts.Account) => [code] } as const;

export function accountRoutes(deps: Deps): Route[] {
  return [...readingRoutes(), ...addingRoutes(deps), changingRoute(deps)];
}

function readingRoutes(): Route[] {
  return [
    handle(accounts.list, async (call) => {
      const { code, type, archived, text } = call.query;
      const page = await readPage(call.query, byCode, ({ after, limit }) =>
        call.readInTenant((tx) =>
          listAccounts(tx, { code, type, archived, text, afterCode: after?.[0], limit }),
        ),
      );
      return reply(200, page);
    }),

    handle(accounts.get, async (call) => {
      const account = await call.readInTenant((tx) => requireAccount(tx, call.params.accountId));
      return reply(200, account, { etag: etagOf(account.version) });
    }),

    handle(accounts.listTemplates, async () => reply(200, { items: chartTemplates })),
  ];
}

function addingRoutes(deps: Deps): Route[] {
  return [
    handle(accounts.create, (call) =>
      call.inTenant(async (tx) => {
        const [outcome] = await addAccounts(tx, deps, [call.body]);
        if (outcome === undefined || outcome.kind === 'refused') throw outcome?.refusal;
        const { kind, account } = outcome;
        return reply(kind === 'accepted' ? 201 : 200, account, { etag: etagOf(account.version) });
      }),
    ),

    handle(accounts.importFile, async (call) => {
      const { mode, dryRun } = call.query;
      const { wanted, report, understood } = await readChart(call.stream, call.contentType);
      const mayWrite = (outcomes: readonly AccountOutcome[]) => {
        const refused = report.refusedTotal > 0 || outcomes.some(({ kind }) => kind === 'refused');
        return !dryRun && (mode === 'each' || !refused);
      };
      const drafts = wanted.map(({ account }) => account);
      const outcomes = await call.inTenant((tx) => addAccounts(tx, deps, drafts, mayWrite));
      for (const [index, outcome] of outcomes.entries()) {
        const { row, account } = wanted[index] ?? { row: 0, account: { code: '' } };
        if (outcome.kind === 'refused') report.refuse(row, account.code, outcome.refusal);
        else report[outcome.kind] += 1;
      }
      const { refused, ...counts } = report.result(mode);
      return reply(200, {
        ...counts,
        refused: refused.map(({ key, ...row }) => ({ ...row, code: key })),
        ...(dryRun && understood !== undefined && { understood }),
      });
    }),

    handle(accounts.createFromTemplate, (call) =>
      call.inTenant(async (tx) => {
        const wanted = newAccountsOf(call.body.template, call.body.language);
        const outcomes = await addAccounts(tx, deps, wanted);
        const created = outcomes.filter(({ kind }) => kind === 'accepted').length;
        return reply(200, { created, present: outcomes.length - created });
      }),
    ),
  ];
}

/** Adds what can be added, each with its event, if `mayWrite` likes what would become of them all. */
async function addAccounts(
  tx: TenantTransaction,
  { outbox }: Deps,
  wanted: readonly accounts.NewAccount[],
  mayWrite: (outcomes: readonly AccountOutcome[]) => boolean = () => true,
): Promise<AccountOutcome[]> {
  await lockChart(tx);
  const codes = wanted.flatMap(({ code, parentCode }) => (parentCode === null ? [code] : [code, parentCode]));
  const outcomes = planAccounts(wanted, await listAccountsByCodes(tx, codes));
  const added = outcomes.flatMap((outcome) => (outcome.kind === 'accepted' ? [outcome.account] : []));
  if (added.length > 0 && mayWrite(outcomes)) {
    await insertAccounts(tx, added);
    const events = added.map((account) => ({ subject: account.accountId, data: account }));
    await outbox.addAll(tx, accounts.created, events);
  }
  return outcomes;
}

function changingRoute({ outbox }: Deps): Route {
  return handle(accounts.change, (call) =>
    call.inTenant(async (tx) => {
      await lockChart(tx);
      const present = await requireAccount(tx, call.params.accountId);
      requireMatch(call, present.version);
      const { name = present.name, parentCode = present.parentCode, archived = present.archived } = call.body;
      const returns = present.archived && !archived;
      if (parentCode !== null && (parentCode !== present.parentCode || returns)) {
        await requirePlace(tx, present, parentCode);
      }
      if (archived && !present.archived) await requireNoneInUseBelow(tx, present);
      const changed =
        name !== present.name || parentCode !== present.parentCode || archived !== present.archived;
      const account = {
        ...present,
        name,
        parentCode,
        archived,
        version: present.version + (changed ? 1 : 0),
      };
      if (changed) {
        await updateAccount(tx, account);
        await outbox.add(tx, accounts.changed, account.accountId, account);
      }
      return reply(200, account, { etag: etagOf(account.version) });
    }),
  );
}

async function requirePlace(
  tx: TenantTransaction,
  account: accounts.Account,
  parentCode: string,
): Promise<void> {
  const [parent] = await listAccountsByCodes(tx, [parentCode]);
  if (parent === undefined) throw new accounts.AccountParentUnknown({ parentCode });
  if (await standsBelow(tx, parent.accountId, account.accountId)) {
    throw new accounts.AccountBelowItself({ accountCode: account.code });
  }
  requireFitParent(account, parent);
}

async function requireNoneInUseBelow(tx: TenantTransaction, account: accounts.Account): Promise<void> {
  const accountCodes = await listCodesInUseBelow(tx, account.accountId);
  if (accountCodes.length > 0) throw new accounts.GroupInUse({ accountCode: account.code, accountCodes });
}

async function requireAccount(tx: TenantTransaction, accountId: string): Promise<accounts.Account> {
  return requireFound(await getAccount(tx, accountId), 'account');
}
