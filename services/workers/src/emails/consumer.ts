import type { EventDefinition } from '@marimo/contracts';
import {
  type identity,
  invitations,
  mailLinks,
  organisations,
  people,
  personalData,
  secondFactors,
  sessions,
} from '@marimo/contracts/users';
import type { emails } from '@marimo/contracts/workers';
import { type ConsumedEvent, consumer } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import type { Deps } from '@marimo/service-kit';
import type { z } from 'zod';
import { insertErased, isErased } from '../erased-people/index.ts';
import { forgetMailOf, queueEmail } from './store.ts';
import { emailChange } from './templates/email-change.ts';
import { erased } from './templates/erased.ts';
import { firstPassword } from './templates/first-password.ts';
import { invitation } from './templates/invitation.ts';
import type { Letter } from './templates/letter.ts';
import { organisationClosing, organisationReopened } from './templates/organisation-closing.ts';
import { passwordChanged as passwordChangedLetter } from './templates/password-changed.ts';
import { resetPassword } from './templates/reset-password.ts';
import * as secondFactorLetters from './templates/second-factor.ts';
import { verifyEmail } from './templates/verify-email.ts';
import { welcome } from './templates/welcome.ts';

interface Subscription {
  readonly event: EventDefinition;
  handle(tx: TenantTransaction, event: ConsumedEvent, deps: Deps): Promise<void>;
}

function on<E extends EventDefinition>(
  event: E,
  handle: (tx: TenantTransaction, event: ConsumedEvent<E>, deps: Deps) => Promise<void>,
): Subscription {
  // Events of several types stand in one list; the types were checked here, where both are known.
  return { event, handle: handle as Subscription['handle'] };
}

const subscriptions: readonly Subscription[] = [
  on(sessions.organisationRegistered, async (tx, { id, data: { organisation, admin } }, { clock }) => {
    if (await isErased(tx, admin.id)) return;
    const { name, email } = admin;
    await queueEmail(tx, {
      ...welcome(admin.language, { name, email, organisation: organisation.name }),
      emailId: id,
      kind: 'welcome',
      personId: admin.id,
      recipient: email,
      recipientName: name,
      createdAt: clock(),
    });
  }),
  toPerson(people.emailVerificationAsked, 'verify-email', verifyEmail),
  toPerson(people.passwordResetAsked, 'reset-password', resetPassword),
  toPerson(people.passwordChanged, 'password-changed', passwordChangedLetter),
  toPerson(invitations.firstPasswordSet, 'password-changed', firstPassword),
  toPerson(people.emailChangeAsked, 'email-change', emailChange),
  toPerson(secondFactors.added, 'second-factor', secondFactorLetters.secondFactorAdded),
  toPerson(secondFactors.removed, 'second-factor', secondFactorLetters.secondFactorRemoved),
  toPerson(secondFactors.reset, 'second-factor', secondFactorLetters.secondFactorsReset),
  toPerson(secondFactors.recoveryCodeUsed, 'second-factor', secondFactorLetters.recoveryCodeUsed),
  on(
    organisations.closingAnnounced,
    async (tx, { id, data: { userId: personId, linkId, closesOn } }, deps) => {
      const link = await linkOf(deps, linkId);
      if (link === null) return;
      await queue(tx, deps, { id, personId, kind: 'organisation-closing', link }, (language, given) =>
        organisationClosing(language, { ...given, closesOn }),
      );
    },
  ),
  toPerson(organisations.reopeningAnnounced, 'organisation-closing', organisationReopened),
  on(invitations.invited, async (tx, { id, data: { linkId } }, deps) => {
    const link = await linkOf(deps, linkId);
    // Whose address it is nobody knows before they accept.
    if (link !== null) await queue(tx, deps, { id, personId: null, kind: 'invitation', link }, invitation);
  }),
  on(personalData.erased, async (tx, { id, data: { userId, linkId, farewell } }, deps) => {
    const link = await linkOf(deps, linkId);
    await insertErased(tx, userId, deps.clock());
    await forgetMailOf(tx, userId, link?.recipient.email ?? null);
    if (link !== null && farewell)
      await queue(tx, deps, { id, personId: userId, kind: 'erased', link }, erased);
  }),
];

interface LetterFacts {
  readonly name: string;
  readonly email: string;
  readonly url: string;
  readonly organisation: string;
}

type Write = (language: identity.Language, given: LetterFacts) => Letter;

/** A letter to a person; the event tells nothing about them but where to ask. */
function toPerson(
  event: EventDefinition<z.ZodType<{ userId: string; linkId: string }>>,
  kind: emails.Email['kind'],
  write: Write,
): Subscription {
  return on(event, async (tx, { id, data: { userId: personId, linkId } }, deps) => {
    const link = await linkOf(deps, linkId);
    if (link !== null) await queue(tx, deps, { id, personId, kind, link }, write);
  });
}

/**
 * Asked right before the mail is written, so that what opens an account is nowhere else; null when the mail has no use
 * any more. When users is away this throws, and the event comes again.
 */
async function linkOf({ client }: Deps, linkId: string): Promise<mailLinks.MailLink | null> {
  const deadlineAt = Date.now() + 5_000;
  return (await client.call(mailLinks.follow, { params: { linkId }, deadlineAt })).body;
}

interface Addressed {
  readonly id: string;
  readonly personId: string | null;
  readonly kind: emails.Email['kind'];
  readonly link: mailLinks.MailLink;
}

async function queue(
  tx: TenantTransaction,
  { clock }: Deps,
  { id, personId, kind, link }: Addressed,
  write: Write,
): Promise<void> {
  const { email, name, language } = link.recipient;
  await queueEmail(tx, {
    ...write(language, { name, email, url: link.url ?? '', organisation: link.organisation }),
    emailId: id,
    kind,
    personId,
    recipient: email,
    recipientName: name,
    createdAt: clock(),
  });
}

/** Only writes the mail down; `sender.ts` sends it once that is committed. */
export const emailConsumer = consumer<Deps, EventDefinition>({
  name: 'email',
  queue: 'email_queue',
  events: subscriptions.map(({ event }) => event),
  async handle(tx, event, deps) {
    await subscriptions.find((one) => one.event.type === event.type)?.handle(tx, event, deps);
  },
});
