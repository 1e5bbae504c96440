import { Unauthenticated } from '@marimo/contracts';
import { mailLinks, people } from '@marimo/contracts/users';
import { type TenantTransaction, type Transaction, violatedConstraint } from '@marimo/postgres';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { getMembership } from '../../organisations/organisations/index.ts';
import { type LinkTokens, useLink } from '../mail-links/index.ts';
import {
  emailKey,
  getCredentials,
  type LoginCredentials,
  lockCredentials,
  updateEmail,
  updateEmailVerified,
} from '../people/index.ts';
import { actingAs, requireAccountControl } from '../sessions/index.ts';
import { askToVerify, securityNotice } from './account-emails.ts';
import type { MailLimits } from './mail-limits.ts';
import { requirePerson } from './require-person.ts';

export function emailRoutes(deps: Deps, links: LinkTokens, limits: MailLimits): readonly Route[] {
  return [verifyRoute(deps, limits), changeRoute(deps, limits), finishRoute(deps, links)];
}

function verifyRoute({ outbox, clock }: Deps, limits: MailLimits): Route {
  return handle(people.askEmailVerification, async (call) => {
    const { userId } = requirePerson(call);
    const person = await call.readInTenant((tx) => getCredentials(tx, userId));
    if (person === undefined) throw new Unauthenticated({});
    if (person.emailVerifiedAt !== null) throw new people.EmailVerifiedAlready({});
    await limits.requireMailAllowed('verification', person.email);
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
    const caller = requirePerson(call);
    const { userId } = caller;
    const { email } = call.body;
    // For the mailbox, and for the person who might try one mailbox after the other.
    await limits.requireMailAllowed('change', userId);
    await limits.requireMailAllowed('change', email);
    return call.inTenant(async (tx) => {
      const now = clock();
      const person = await lockMember(tx, userId, now);
      await requireAccountControl(tx, caller);
      const verificationLinkId = await askToVerify(tx, outbox, { ...person, email }, now);
      const linkId = await securityNotice(tx, person, now);
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
async function lockMember(tx: TenantTransaction, personId: string, now: Date): Promise<LoginCredentials> {
  const person = await lockCredentials(tx, personId);
  const membership = person && (await getMembership(tx, personId, now));
  if (person === undefined || membership === undefined) throw new Unauthenticated({});
  return person;
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
  const person = await lockCredentials(tx, userId);
  if (person === undefined) throw new mailLinks.LinkRefused({});
  const isSame = emailKey(person.email) === emailKey(email);
  if (isSame) await updateEmailVerified(tx, userId, now);
  else await updateEmail(tx, userId, email, now);
  await tx.enterTenant(tenantId);
  await actingAs(tenantId, userId, () =>
    outbox.add(tx, isSame ? people.emailVerified : people.emailChanged, userId, { userId }),
  );
}
