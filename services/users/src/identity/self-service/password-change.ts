import { Unauthenticated } from '@marimo/contracts';
import { people } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import { type Caller, type Deps, handle, type Route, reply } from '@marimo/service-kit';
import {
  getMembership,
  getOrganisationName,
  lockOrganisationShared,
  type Membership,
} from '../../organisations/organisations/index.ts';
import { deleteLink } from '../mail-links/index.ts';
import { requireStrongPassword } from '../passwords/index.ts';
import { getCredentials, listTenantIds, lockCredentials, updatePassword } from '../people/index.ts';
import {
  type AuthenticatedSession,
  createOwnThrottle,
  endSessionsOf,
  hasPersonalAuthentication,
  issueFor,
  lockLivingSession,
  type SessionParts,
  updateProof,
} from '../sessions/index.ts';
import { securityNotice } from './account-emails.ts';
import { requirePerson } from './require-person.ts';

export function passwordChangeRoute(deps: Deps, { hasher, keys, metrics }: SessionParts): Route {
  const throttle = createOwnThrottle(deps.cache);
  return handle(people.changePassword, async (call) => {
    const caller = requirePerson(call);
    const { current, new: wanted } = call.body;
    const { person, organisation } = await call.readInTenant(async (tx) => ({
      person: await getCredentials(tx, caller.userId),
      organisation: await getOrganisationName(tx),
    }));
    if (person === undefined) throw new Unauthenticated({});
    const { email, name, passwordHash } = person;
    if (passwordHash === null) throw new people.PasswordNotSet({});
    const { userId: personId, sessionId } = caller;
    const attempt = { personId, sessionId, ownProof: hasPersonalAuthentication(caller) };
    await throttle.begin(attempt);
    if (!(await hasher.matches(current, passwordHash, call.signal)))
      throw new people.CurrentPasswordWrong({});
    await throttle.succeeded(attempt);
    requireStrongPassword(wanted, { organisation, name, email });

    const newHash = await hasher.hash(wanted, call.signal);
    const change = { caller, passwordHash, newHash };
    const { membership, session, now } = await call.withoutTenant((tx) => replacePassword(tx, deps, change));
    const { token, expiresIn } = await issueFor(keys, membership, session, now);
    metrics.tokens.inc({ type: 'access' });
    return reply(200, { accessToken: token, expiresIn, tokenType: 'Bearer' });
  });
}

interface Change {
  readonly caller: Caller;
  /** The one that was proved. */
  readonly passwordHash: string;
  readonly newHash: string;
}

interface Changed {
  readonly membership: Membership;
  readonly session: AuthenticatedSession;
  readonly now: Date;
}

/** Password, sessions of every organisation, mail and events in one transaction. */
async function replacePassword(tx: Transaction, deps: Deps, change: Change): Promise<Changed> {
  const { outbox, clock } = deps;
  const { userId: personId, tenantId, sessionId: except } = change.caller;
  const person = await lockCredentials(tx, personId);
  // Another change came first, so what was proved is not the password any more.
  if (person?.passwordHash !== change.passwordHash) throw new people.CurrentPasswordWrong({});
  const now = clock();
  await updatePassword(tx, personId, change.newHash);
  await deleteLink(tx, 'reset-password', personId);
  // It may lead to a new e-mail that somebody else asked for, and with that mailbox to a password of theirs.
  await deleteLink(tx, 'verify-email', personId);
  const elsewhere = (await listTenantIds(tx, personId)).filter((each) => each !== tenantId);
  await tx.inEachTenant(elsewhere, async (_, there) => {
    await endSessionsOf(there, outbox, { personId, reason: 'password', now });
  });
  const here = await tx.enterTenant(tenantId);
  await endSessionsOf(here, outbox, { personId, reason: 'password', except, now });
  const linkId = await securityNotice(here, person, now);
  await outbox.add(tx, people.passwordChanged, personId, { userId: personId, linkId, by: 'change' });
  return { ...(await goOn(here, change.caller, now)), now };
}

/**
 * This session goes on. The password proves anew who somebody is, but only where nothing more is asked of them: with a
 * second factor it would open, to who has read the password, what a step-up protects.
 */
async function goOn(
  tx: TenantTransaction,
  { userId: personId, sessionId, authenticatedAt = new Date(0) }: Caller,
  now: Date,
): Promise<Omit<Changed, 'now'>> {
  await lockOrganisationShared(tx);
  const membership = await getMembership(tx, personId, now);
  const session = await lockLivingSession(tx, { sessionId, personId }, now);
  if (membership === undefined || session === undefined) throw new Unauthenticated({});
  if (membership.hasSecondFactor) return { membership, session: { ...session, sessionId, authenticatedAt } };
  const proof = { authenticatedAt: now, methods: [...new Set([...session.methods, 'pwd' as const])] };
  await updateProof(tx, sessionId, proof);
  return { membership, session: { ...session, ...proof, sessionId } };
}
