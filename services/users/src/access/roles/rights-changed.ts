import type { TenantTransaction } from '@marimo/postgres';
import { voidAccessTokens } from '../../identity/sessions/index.ts';
import { voidKeyTokensOf } from '../service-accounts/index.ts';
import { type Holders, updateRolesVersion } from './store.ts';

/** Their tokens say what was: none of them is good any more, and the next ones know better. */
export async function rightsChanged(tx: TenantTransaction, holders: Holders, now: Date): Promise<void> {
  await updateRolesVersion(tx, holders);
  for (const personId of holders.personIds) {
    await voidAccessTokens(tx, personId, now);
    await voidKeyTokensOf(tx, { personId }, now);
  }
  for (const accountId of holders.accountIds) await voidKeyTokensOf(tx, { accountId }, now);
}
