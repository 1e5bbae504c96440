import { Unauthenticated } from '@marimo/contracts';
import { mailLinks, people } from '@marimo/contracts/users';
import { type TenantTransaction, type Transaction, violatedConstraint } from '@marimo/postgres';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { emailKey, findMembership } from '../../organisations/organisations/index.ts';
import { type LinkTokens, useLink } from '../mail-links/index.ts';
import { actingAs, demandSayOverSelf } from '../sessions/index.ts';
import { askToVerify, noticeTo } from './letters.ts';
import type { MailLimits } from './mail-limits.ts';
import { personCalling } from './own-call.ts';
import { type Account, findAccount, lockAccount, markEmailVerified, replaceEmail } from './store.ts';

export function emailRoutes(deps: Deps, links: LinkTokens, limits: MailLimits): readonly Route[] {
  return [verifyRoute(deps, limits), changeRoute(deps, limits), finishRoute(deps, links)];
}

function verifyRoute({ outbox, clock }: Deps, limits: MailLimits): Route {
  return handle(people.askEmailVerification, async (call) => {
    const { userId } = personCalling(call);
    const account = await call.readInTenant((tx) => findAccount(tx, userId));
    if (account === undefined) throw new Unauthenticated({});
    if (account.emailVerifiedAt !== null) throw new people.EmailVerifiedAlready({});
    await limits.demandMail('verification', account.email);
    return call.inTenant(async (tx) => {
      const now = clock();
      const present = await lockMember(tx, userId, now);
      if (present.emailVerifiedAt !== null) throw new people.EmailVerifiedAlready({});
      await askToVerify(tx, outbox, present, now);
      return reply(202, null);
    });
  });
}

/**
 * Nothing is looked up about the new address: whether it has an account shows to who opens the mail sent there. The old
 * address hears of it at once, while its owner can still do something.
 */
function changeRoute({ outbox, clock }: Deps, limits: MailLimits): Route {
  return handle(people.changeEmail, async (call) => {
    const caller = personCalling(call);
    const { userId } = caller;
    const { email } = call.body;
    // For the mailbox, and for the person who might try one mailbox after the other.
    await limits.demandMail('change', userId);
    await limits.demandMail('change', email);
    return call.inTenant(async (tx) => {
      const now = clock();
      const account = await lockMember(tx, userId, now);
      await demandSayOverSelf(tx, caller);
      const verificationLinkId = await askToVerify(tx, outbox, { ...account, email }, now);
      const linkId = await noticeTo(tx, account, now);
      await outbox.add(tx, people.emailChangeAsked, userId, { userId, linkId, verificationLinkId });
      return reply(202, null);
    });
  });
}

/**
 * Ours alone until the end of the transaction. Whoever was erased a moment ago has a token still and is nobody any more.
 *
 * Errors: Unauthenticated.
 */
async function lockMember(tx: TenantTransaction, personId: string, now: Date): Promise<Account> {
  const account = await lockAccount(tx, personId);
  const membership = account && (await findMembership(tx, personId, now));
  if (account === undefined || membership === undefined) throw new Unauthenticated({});
  return account;
}

function finishRoute(deps: Deps, links: LinkTokens): Route {
  return handle(people.finishEmailVerification, async (call) => {
    const linkId = links.readLink(call.body.token, 'verify-email');
    if (linkId === undefined) throw new mailLinks.LinkRefused({});
    try {
      await call.withoutTenant((tx) => useVerification(tx, deps, linkId));
    } catch (error) {
      // Also when both changed to the same address at once: the database lets one of them.
      if (violatedConstraint(error) === 'person_email_key_key') throw new people.EmailInUse({});
      throw error;
    }
    return reply(204, null);
  });
}

async function useVerification(tx: Transaction, { outbox, clock }: Deps, linkId: string): Promise<void> {
  const now = clock();
  const link = await useLink(tx, linkId, now);
  if (link === undefined || link.personId === null) throw new mailLinks.LinkRefused({});
  const { personId: userId, email, tenantId } = link;
  const account = await lockAccount(tx, userId);
  if (account === undefined) throw new mailLinks.LinkRefused({});
  const isSame = emailKey(account.email) === emailKey(email);
  if (isSame) await markEmailVerified(tx, userId, now);
  else await replaceEmail(tx, userId, email, now);
  await tx.enterTenant(tenantId);
  await actingAs(tenantId, userId, () =>
    outbox.add(tx, isSame ? people.emailVerified : people.emailChanged, userId, { userId }),
  );
}
