import { accounts } from '@marimo/contracts/accounting';
import type { TenantTransaction } from '@marimo/postgres';
import { type Author, recordsOf } from '@marimo/records';
import {
  type Deps,
  etagOf,
  handle,
  ifVersionOf,
  type Route,
  recordRoutes,
  reply,
  requireFound,
  type SignedInCall,
} from '@marimo/service-kit';
import { type AccountOutcome, planAccounts, requireFitParent } from './accounts.ts';
import { readChart } from './chart-file.ts';
import { listAccountsByCodes, listCodesInUseBelow, lockChart, standsBelow } from './store.ts';
import { chartTemplates, newAccountsOf } from './templates/index.ts';

type Stored = ReturnType<typeof storedAccounts>;

const storedAccounts = (deps: Deps) => recordsOf(accounts.record, deps);

export function accountRoutes(deps: Deps): Route[] {
  const stored = storedAccounts(deps);
  const authorOf = ({ caller }: SignedInCall): Author => ({ userId: caller.userId, at: deps.clock() });
  return [
    ...recordRoutes(accounts, stored, deps, {
      ...archivingCommands(stored),
      except: ['create', 'change', 'importFile'],
    }),
    changingRoute(stored, authorOf),
    ...addingRoutes(stored, authorOf),
    handle(accounts.listTemplates, async () => reply(200, { items: chartTemplates })),
  ];
}

function archivingCommands(stored: Stored): Pick<Stored, 'archive' | 'restore'> {
  return {
    async archive(tx, present, author, options) {
      await lockChart(tx);
      if (!present.archived) await requireNoneInUseBelow(tx, present);
      return stored.archive(tx, present, author, options);
    },
    async restore(tx, present, author, options) {
      await lockChart(tx);
      const { archived, parentCode } = present;
      if (archived && parentCode !== null) await requirePlace(tx, present, parentCode);
      return stored.restore(tx, present, author, options);
    },
  };
}

function addingRoutes(stored: Stored, authorOf: (call: SignedInCall) => Author): Route[] {
  return [
    handle(accounts.create, (call) =>
      call.inTenant(async (tx) => {
        const { outcomes, added } = await addAccounts(tx, stored, authorOf(call), [call.body]);
        const [outcome] = outcomes;
        if (outcome === undefined || outcome.kind === 'refused') throw outcome?.refusal;
        const [account] = added.length > 0 ? added : await listAccountsByCodes(tx, [call.body.code]);
        const present = requireFound(account, 'account');
        return reply(added.length > 0 ? 201 : 200, present, { etag: etagOf(present.version) });
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
      const author = authorOf(call);
      const { outcomes } = await call.inTenant((tx) => addAccounts(tx, stored, author, drafts, mayWrite));
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
        const { outcomes, added } = await addAccounts(tx, stored, authorOf(call), wanted);
        return reply(200, { created: added.length, present: outcomes.length - added.length });
      }),
    ),
  ];
}

/** Adds what can be added, if `mayWrite` likes what would become of them all. */
async function addAccounts(
  tx: TenantTransaction,
  stored: Stored,
  author: Author,
  wanted: readonly accounts.NewAccount[],
  mayWrite: (outcomes: readonly AccountOutcome[]) => boolean = () => true,
): Promise<{ outcomes: AccountOutcome[]; added: accounts.Account[] }> {
  await lockChart(tx);
  const codes = wanted.flatMap(({ code, parentCode }) => (parentCode === null ? [code] : [code, parentCode]));
  const outcomes = planAccounts(wanted, await listAccountsByCodes(tx, codes));
  const drafts = outcomes.flatMap((outcome) => (outcome.kind === 'accepted' ? [outcome.draft] : []));
  if (drafts.length === 0 || !mayWrite(outcomes)) return { outcomes, added: [] };
  const created = await stored.createAll(tx, drafts, author);
  return { outcomes, added: created.map(({ record }) => record) };
}

/** One request renames, moves, archives and restores. */
function changingRoute(stored: Stored, authorOf: (call: SignedInCall) => Author): Route {
  return handle(accounts.change, (call) =>
    call.inTenant(async (tx) => {
      await lockChart(tx);
      const present = requireFound(await stored.lock(tx, call.params.accountId), 'account');
      const { parentCode = present.parentCode, archived = present.archived } = call.body;
      const returns = present.archived && !archived;
      if (parentCode !== null && (parentCode !== present.parentCode || returns)) {
        await requirePlace(tx, present, parentCode);
      }
      if (archived && !present.archived) await requireNoneInUseBelow(tx, present);
      const account = await stored.change(tx, present, call.body, authorOf(call), ifVersionOf(call));
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
  if (await standsBelow(tx, parent.code, account.code)) {
    throw new accounts.AccountBelowItself({ accountCode: account.code });
  }
  requireFitParent(account, parent);
}

async function requireNoneInUseBelow(tx: TenantTransaction, account: accounts.Account): Promise<void> {
  const accountCodes = await listCodesInUseBelow(tx, account.code);
  if (accountCodes.length > 0) throw new accounts.GroupInUse({ accountCode: account.code, accountCodes });
}
