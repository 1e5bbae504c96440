import type { TenantTransaction } from '@marimo/postgres';
import { issueNotice } from '../mail-links/index.ts';
import { findRecipient } from './store.ts';

/** Longer than any trouble with the mail; after that the news is old. */
const lastsMs = 3 * 24 * 60 * 60_000;

/**
 * A mail to the owner about a change of their second factors, so that one somebody else made does not go unseen; gives
 * the id under which the mail worker asks for the address.
 */
export async function noticeTo(tx: TenantTransaction, personId: string, now: Date): Promise<string> {
  const recipient = await findRecipient(tx, personId);
  if (recipient === undefined) throw new Error('A notice goes to a person');
  return issueNotice(tx, {
    ...recipient,
    tenantId: tx.tenantId,
    personId,
    expiresAt: new Date(now.getTime() + lastsMs),
    now,
  });
}
