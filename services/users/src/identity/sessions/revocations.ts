import { accessTokens } from '@marimo/contracts/users';
import type { Deps } from '@marimo/service-kit';
import { deleteRevocationsBefore, listRevocations, type RevocationPage } from './store.ts';

/** Beyond the life of a token, for clocks that differ. */
const slackMs = 5 * 60_000;
const concernsTokensForMs = accessTokens.accessToken.lifetimeSeconds * 1_000 + slackMs;

export function readRevocations({ database, clock }: Deps, after = '0'): Promise<RevocationPage> {
  // A cursor of somebody else's making is none: the answer is then everything.
  const cursor = /^\d{1,19}$/.test(after) ? after : '0';
  const since = new Date(clock().getTime() - concernsTokensForMs);
  return database.withoutTenant((tx) => listRevocations(tx, cursor, since), { readOnly: true });
}

export async function forgetOldRevocations({ database, clock }: Deps): Promise<void> {
  const before = new Date(clock().getTime() - 2 * concernsTokensForMs);
  await database.withoutTenant((tx) => deleteRevocationsBefore(tx, before));
}
