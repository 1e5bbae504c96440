import { people } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import { issueLink, issueNotice, type Recipient } from '../mail-links/index.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

export const resetLinkLastsMs = people.resetLinkLastsMinutes * minute;
const verificationLinkLastsMs = people.verificationLinkLastsDays * day;
/** Longer than any trouble with the mail; after that the news is old. */
const noticeLastsMs = 3 * day;

export interface Addressee extends Recipient {
  readonly personId: string;
}

export function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}

/** A mail that tells a person what happened to their account, at the address they have now; gives its id. */
export function noticeTo(tx: TenantTransaction, to: Addressee, now: Date): Promise<string> {
  return issueNotice(tx, {
    ...recipientOf(to),
    tenantId: tx.tenantId,
    expiresAt: later(now, noticeLastsMs),
    now,
  });
}

/** Sends a link to a mailbox that proves whose it is; gives its id. Only the newest one works. */
export async function askToVerify(
  tx: TenantTransaction,
  outbox: Outbox,
  to: Addressee,
  now: Date,
): Promise<string> {
  const { personId } = to;
  const linkId = await issueLink(tx, {
    ...recipientOf(to),
    purpose: 'verify-email',
    subjectId: personId,
    tenantId: tx.tenantId,
    expiresAt: later(now, verificationLinkLastsMs),
    now,
  });
  await outbox.add(tx, people.emailVerificationAsked, personId, { userId: personId, linkId });
  return linkId;
}

function recipientOf({ personId, email, name, language }: Addressee): Addressee {
  return { personId, email, name, language };
}
