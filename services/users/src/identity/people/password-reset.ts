import { newId } from '@marimo/contracts';
import { mailLinks, people } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { emailKey } from '../../organisations/organisations/index.ts';
import {
  findLink,
  issueLink,
  issueNotice,
  type LinkTokens,
  type PendingLink,
  revokeLink,
  useLink,
} from '../mail-links/index.ts';
import { demandStrongPassword, type PasswordHasher } from '../passwords/index.ts';
import { actingAs, endSessionsOf, type SessionParts } from '../sessions/index.ts';
import { later, noticeTo, resetLinkLastsMs } from './letters.ts';
import type { MailLimits } from './mail-limits.ts';
import {
  type Account,
  findAccount,
  findAccountByEmail,
  lockAccount,
  markEmailVerified,
  nameOfOrganisation,
  setPassword,
  tenantsOf,
} from './store.ts';

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
  const account = await findAccountByEmail(tx, email);
  if (account === undefined || account.passwordHash === null) return pretend(tx, now);
  const { personId, lastTenantId: tenantId, name, language } = account;
  await tx.enterTenant(tenantId);
  const linkId = await issueLink(tx, {
    purpose: 'reset-password',
    subjectId: personId,
    tenantId,
    personId,
    email: account.email,
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
  await issueLink(tx, { ...decoy, purpose: 'reset-password', subjectId: newId() });
  await issueNotice(tx, decoy); // in place of the event
}

function finishRoute(deps: Deps, { hasher, links, devices }: ResetParts): Route {
  const { clock } = deps;
  return handle(people.finishPasswordReset, async (call) => {
    const linkId = links.readLink(call.body.token, 'reset-password');
    if (linkId === undefined) throw new mailLinks.LinkRefused({});
    const { password } = call.body;
    const { account, organisation } = await call.withoutTenant((tx) => ownerOf(tx, linkId, clock()));
    // Before the link is used up: who chose badly chooses again.
    demandStrongPassword(password, { organisation, name: account.name, email: account.email });
    const passwordHash = await hasher.hash(password, call.signal);
    await actingAs(account.lastTenantId, account.personId, () =>
      call.withoutTenant((tx) => resetPassword(tx, deps, { linkId, passwordHash })),
    );
    const { deviceToken, expiresAt } = devices.tokenFor(account.personId, linkId, clock());
    return reply(200, { deviceToken, expiresAt });
  });
}

async function ownerOf(
  tx: Transaction,
  linkId: string,
  now: Date,
): Promise<{ account: Account; organisation: string }> {
  const link = await findLink(tx, linkId, now);
  const account = link && (await accountAt(tx, link, findAccount));
  if (link === undefined || account === undefined) throw new mailLinks.LinkRefused({});
  const here = await tx.enterTenant(link.tenantId);
  return { account, organisation: await nameOfOrganisation(here) };
}

/** The account the link was sent to, as long as the mailbox is still theirs. */
async function accountAt(
  tx: Transaction,
  { personId, email }: PendingLink,
  find: typeof findAccount,
): Promise<Account | undefined> {
  const account = personId === null ? undefined : await find(tx, personId);
  return account !== undefined && emailKey(account.email) === emailKey(email) ? account : undefined;
}

/** Signs nobody in: who has a second factor still needs it. */
async function resetPassword(
  tx: Transaction,
  { outbox, clock }: Deps,
  { linkId, passwordHash }: { readonly linkId: string; readonly passwordHash: string },
): Promise<void> {
  const now = clock();
  const link = await useLink(tx, linkId, now);
  const account = link && (await accountAt(tx, link, lockAccount));
  if (link === undefined || account === undefined) throw new mailLinks.LinkRefused({});
  const { personId } = account;
  await setPassword(tx, personId, passwordHash);
  await markEmailVerified(tx, personId, now);
  await revokeLink(tx, 'verify-email', personId);
  await tx.inEachTenant(await tenantsOf(tx, personId), async (_, there) => {
    await endSessionsOf(there, outbox, { personId, reason: 'password', now });
  });
  const noticeId = await noticeTo(await tx.enterTenant(link.tenantId), account, now);
  await outbox.add(tx, people.passwordChanged, personId, { userId: personId, linkId: noticeId, by: 'reset' });
}
