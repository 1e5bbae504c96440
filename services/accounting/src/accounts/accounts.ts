import { accounts } from '@marimo/contracts/accounting';
import type { Refusal } from '@marimo/problems';
import { isInTemplate } from './templates/index.ts';

export type AccountOutcome =
  | { readonly kind: 'accepted'; readonly draft: accounts.NewAccount }
  /** There already, or twice among the wanted. */
  | { readonly kind: 'repeated'; readonly code: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What a place in the chart depends on. */
export type Placed = Pick<accounts.Account, 'code' | 'name' | 'type' | 'parentCode' | 'isGroup' | 'archived'>;

/**
 * Decides for each account that is to be added what becomes of it; parents and children may come in any order.
 *
 * Shape:  `present` holds at least the accounts that have one of the wanted codes or a wanted parent's code.
 * Errors: AccountCodeTaken; AccountParentUnfit; AccountBelowItself for each account of a circle; AccountParentUnknown,
 *         also for what hangs below a refused account.
 */
export function planAccounts(
  wanted: readonly accounts.NewAccount[],
  present: readonly Placed[],
): AccountOutcome[] {
  const chart = new Map<string, Placed>(present.map((account) => [account.code, account]));
  const drafts = new Map<string, accounts.NewAccount>();
  for (const each of wanted) {
    if (!chart.has(each.code) && !drafts.has(each.code)) drafts.set(each.code, each);
  }
  const refused = growChart(chart, drafts);
  for (const code of circlesIn(drafts, chart)) {
    refused.set(code, new accounts.AccountBelowItself({ accountCode: code }));
  }

  return wanted.map((each): AccountOutcome => {
    const account = chart.get(each.code);
    if (account === undefined) {
      const parentCode = each.parentCode ?? '';
      const refusal = refused.get(each.code) ?? new accounts.AccountParentUnknown({ parentCode });
      return { kind: 'refused', refusal };
    }
    if (drafts.get(each.code) === each) return { kind: 'accepted', draft: each };
    return isSame(account, each)
      ? { kind: 'repeated', code: each.code }
      : { kind: 'refused', refusal: new accounts.AccountCodeTaken({ accountCode: each.code }) };
  });
}

/**
 * Whether an account may stand below a parent: what a group sums must be of one kind. Where the law's own plan of
 * accounts mixes types, as 90.02 (expense) below 90 (income), its accounts may stand as they do there.
 *
 * Errors: AccountParentUnfit.
 */
export function requireFitParent(
  account: Pick<Placed, 'code' | 'type' | 'parentCode'>,
  parent: Placed,
): void {
  const reason = !parent.isGroup
    ? 'not-a-group'
    : parent.archived
      ? 'archived'
      : parent.type !== account.type && !isInTemplate({ ...account, parentCode: parent.code })
        ? 'other-type'
        : undefined;
  if (reason !== undefined) {
    throw new accounts.AccountParentUnfit({ accountCode: account.code, parentCode: parent.code, reason });
  }
}

/** Adds each draft once its parent stands, and gives back why a parent is none; what waits in vain is left out. */
function growChart(
  chart: Map<string, Placed>,
  drafts: ReadonlyMap<string, accounts.NewAccount>,
): Map<string, Refusal> {
  const refused = new Map<string, Refusal>();
  const below = Map.groupBy(drafts.values(), ({ parentCode }) => parentCode);
  const parents: (string | null)[] = [null, ...chart.keys()];
  for (const parentCode of parents) {
    const parent = parentCode === null ? undefined : chart.get(parentCode);
    for (const draft of below.get(parentCode) ?? []) {
      try {
        if (parent !== undefined) requireFitParent(draft, parent);
        chart.set(draft.code, { ...draft, archived: false });
        parents.push(draft.code);
      } catch (error) {
        if (!(error instanceof accounts.AccountParentUnfit)) throw error;
        refused.set(draft.code, error);
      }
    }
  }
  return refused;
}

/** The codes of drafts that stand below themselves. */
function circlesIn(
  drafts: ReadonlyMap<string, accounts.NewAccount>,
  chart: ReadonlyMap<string, Placed>,
): string[] {
  const seen = new Set<string>();
  return [...drafts.keys()].flatMap((code) => {
    const path: string[] = [];
    let at: string | null = code;
    while (at !== null && !seen.has(at) && !chart.has(at) && drafts.has(at)) {
      seen.add(at);
      path.push(at);
      at = drafts.get(at)?.parentCode ?? null;
    }
    const start = at === null ? -1 : path.indexOf(at);
    return start < 0 ? [] : path.slice(start);
  });
}

function isSame(account: Placed, wanted: accounts.NewAccount): boolean {
  return (
    account.name === wanted.name &&
    account.type === wanted.type &&
    account.parentCode === wanted.parentCode &&
    account.isGroup === wanted.isGroup
  );
}
