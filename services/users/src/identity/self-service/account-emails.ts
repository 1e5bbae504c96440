import { people } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import { insertLink, insertNotice, type Recipient } from '../mail-links/index.ts';
import { getCredentials } from '../people/index.ts';

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

/** An e-mail that tells a person what happened to their account, at the address they have now; gives its id. */
export function securityNotice(tx: TenantTransaction, to: Addressee, now: Date): Promise<string> {
  return insertNotice(tx, {
    ...recipientOf(to),
    tenantId: tx.tenantId,
    expiresAt: later(now, noticeLastsMs),
    now,
  });
}

/** The same for somebody whose credentials are not at hand. */
export async function securityNoticeTo(tx: TenantTransaction, personId: string, now: Date): Promise<string> {
  const person = await getCredentials(tx, personId);
  if (person === undefined) throw new Error('A notice goes to a person');
  return securityNotice(tx, person, now);
}

/** Sends a link to a mailbox that proves whose it is; gives its id. Only the newest one works. */
export async function askToVerify(
  tx: TenantTransaction,
  outbox: Outbox,
  to: Addressee,
  now: Date,
): Promise<string> {
  const { personId } = to;
  const linkId = await insertLink(tx, {
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
