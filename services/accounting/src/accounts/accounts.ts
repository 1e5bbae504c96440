import { newId } from '@marimo/contracts';
import { accounts } from '@marimo/contracts/accounting';
import type { Refusal } from '@marimo/problems';

export type AccountOutcome =
  | { readonly kind: 'accepted'; readonly account: accounts.Account }
  | { readonly kind: 'repeated'; readonly account: accounts.Account }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Decides for each account that is to be added what becomes of it; parents and children may come in any order.
 *
 * Shape:  `present` holds at least the accounts that have one of the wanted codes or a wanted parent's code.
 * Errors: AccountCodeTaken; AccountParentUnknown, also for what hangs below a refused account or in a circle.
 */
export function planAccounts(
  wanted: readonly accounts.NewAccount[],
  present: readonly accounts.Account[],
): AccountOutcome[] {
  const chart = new Map(present.map((account) => [account.code, account]));
  const drafts = new Map<string, accounts.NewAccount>();
  for (const each of wanted) {
    if (!chart.has(each.code) && !drafts.has(each.code)) drafts.set(each.code, each);
  }
  growChart(chart, drafts);

  return wanted.map((each): AccountOutcome => {
    const account = chart.get(each.code);
    if (account === undefined) {
      return {
        kind: 'refused',
        refusal: new accounts.AccountParentUnknown({ parentCode: each.parentCode ?? '' }),
      };
    }
    if (drafts.get(each.code) === each) return { kind: 'accepted', account };
    return isSame(account, each)
      ? { kind: 'repeated', account }
      : { kind: 'refused', refusal: new accounts.AccountCodeTaken({ accountCode: each.code }) };
  });
}

/** Adds each draft once its parent stands; what waits for a parent in vain is left out. */
function growChart(
  chart: Map<string, accounts.Account>,
  drafts: ReadonlyMap<string, accounts.NewAccount>,
): void {
  const below = Map.groupBy(drafts.values(), ({ parentCode }) => parentCode);
  const parents: (string | null)[] = [null, ...chart.keys()];
  for (const parentCode of parents) {
    for (const draft of below.get(parentCode) ?? []) {
      chart.set(draft.code, { accountId: newId(), ...draft, archived: false, version: 1 });
      parents.push(draft.code);
    }
  }
}

function isSame(account: accounts.Account, wanted: accounts.NewAccount): boolean {
  return (
    account.name === wanted.name &&
    account.type === wanted.type &&
    account.parentCode === wanted.parentCode &&
    account.isGroup === wanted.isGroup
  );
}
