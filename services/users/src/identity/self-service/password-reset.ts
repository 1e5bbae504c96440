import { newId } from '@marimo/contracts';
import { mailLinks, people } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { getOrganisationName } from '../../organisations/organisations/index.ts';
import {
  deleteLink,
  getLink,
  insertLink,
  insertNotice,
  type LinkTokens,
  type PendingLink,
  useLink,
} from '../mail-links/index.ts';
import { type PasswordHasher, requireStrongPassword } from '../passwords/index.ts';
import {
  emailKey,
  getCredentials,
  getCredentialsByEmail,
  type LoginCredentials,
  listTenantIds,
  lockCredentials,
  updateEmailVerified,
  updatePassword,
} from '../people/index.ts';
import { actingAs, endSessionsOf, type SessionParts } from '../sessions/index.ts';
import { later, resetLinkLastsMs, securityNotice } from './account-emails.ts';
import type { MailLimits } from './mail-limits.ts';

interface ResetParts extends Pick<SessionParts, 'devices'> {
  readonly hasher: PasswordHasher;
  readonly links: LinkTokens;
}

export function passwordResetRoutes(deps: Deps, parts: ResetParts, limits: MailLimits): readonly Route[] {
  return [askRoute(deps, limits), finishRoute(deps, parts)];
}

function askRoute(deps: Deps, limits: MailLimits): Route {
  return handle(people.askPasswordReset, async (call) => {
    const { email } = call.body;
    await limits.admit(call.address);
    // Silently: an answer of its own would tell that somebody asked before.
    if (await limits.mayMail('reset', email)) {
      await call.withoutTenant((tx) => sendLink(tx, deps, email));
    }
    return reply(202, null);
  });
}

/**
 * For nobody it takes the same steps: as many statements, of the same kind, and a commit. What it then writes is of no
 * use to anyone, holds nothing of what was asked, and is swept away as out of date.
 */
export async function sendLink(
  tx: Transaction,
  { outbox, clock }: Pick<Deps, 'outbox' | 'clock'>,
  email: string,
): Promise<void> {
  const now = clock();
  const person = await getCredentialsByEmail(tx, email);
  if (person === undefined || person.passwordHash === null) return pretend(tx, now);
  const { personId, lastTenantId: tenantId, name, language } = person;
  await tx.enterTenant(tenantId);
  const linkId = await insertLink(tx, {
    purpose: 'reset-password',
    subjectId: personId,
    tenantId,
    personId,
    email: person.email,
    name,
    language,
    expiresAt: later(now, resetLinkLastsMs),
    now,
  });
  // Nobody is signed in, so nobody is named as who did it.
  await outbox.add(tx, people.passwordResetAsked, personId, { userId: personId, linkId });
}

async function pretend(tx: Transaction, now: Date): Promise<void> {
  const tenantId = newId();
  const decoy = {
    tenantId,
    personId: null,
    email: '',
    name: '',
    language: 'en',
    expiresAt: now,
    now,
  } as const;
  await tx.enterTenant(tenantId);
  await insertLink(tx, { ...decoy, purpose: 'reset-password', subjectId: newId() });
  await insertNotice(tx, decoy); // in place of the event
}

function finishRoute(deps: Deps, { hasher, links, devices }: ResetParts): Route {
  const { clock } = deps;
  return handle(people.finishPasswordReset, async (call) => {
    const linkId = links.readLink(call.body.token, 'reset-password');
    if (linkId === undefined) throw new mailLinks.LinkRefused({});
    const { password } = call.body;
    const { person, organisation } = await call.withoutTenant((tx) => ownerOf(tx, linkId, clock()));
    // Before the link is used up: who chose badly chooses again.
    requireStrongPassword(password, { organisation, name: person.name, email: person.email });
    const passwordHash = await hasher.hash(password, call.signal);
    await actingAs(person.lastTenantId, person.personId, () =>
      call.withoutTenant((tx) => resetPassword(tx, deps, { linkId, passwordHash })),
    );
    const { deviceToken, expiresAt } = devices.tokenFor(person.personId, linkId, clock());
    return reply(200, { deviceToken, expiresAt });
  });
}

async function ownerOf(
  tx: Transaction,
  linkId: string,
  now: Date,
): Promise<{ person: LoginCredentials; organisation: string }> {
  const link = await getLink(tx, linkId, now);
  const person = link && (await personAt(tx, link, getCredentials));
  if (link === undefined || person === undefined) throw new mailLinks.LinkRefused({});
  const here = await tx.enterTenant(link.tenantId);
  return { person, organisation: await getOrganisationName(here) };
}

/** The account the link was sent to, as long as the mailbox is still theirs. */
async function personAt(
  tx: Transaction,
  { personId, email }: PendingLink,
  find: typeof getCredentials,
): Promise<LoginCredentials | undefined> {
  const person = personId === null ? undefined : await find(tx, personId);
  return person !== undefined && emailKey(person.email) === emailKey(email) ? person : undefined;
}

/** Signs nobody in: who has a second factor still needs it. */
async function resetPassword(
  tx: Transaction,
  { outbox, clock }: Deps,
  { linkId, passwordHash }: { readonly linkId: string; readonly passwordHash: string },
): Promise<void> {
  const now = clock();
  const link = await useLink(tx, linkId, now);
  const person = link && (await personAt(tx, link, lockCredentials));
  if (link === undefined || person === undefined) throw new mailLinks.LinkRefused({});
  const { personId } = person;
  await updatePassword(tx, personId, passwordHash);
  await updateEmailVerified(tx, personId, now);
  await deleteLink(tx, 'verify-email', personId);
  await tx.inEachTenant(await listTenantIds(tx, personId), async (_, there) => {
    await endSessionsOf(there, outbox, { personId, reason: 'password', now });
  });
  const noticeId = await securityNotice(await tx.enterTenant(link.tenantId), person, now);
  await outbox.add(tx, people.passwordChanged, personId, { userId: personId, linkId: noticeId, by: 'reset' });
}
