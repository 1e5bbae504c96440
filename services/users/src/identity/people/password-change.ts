import { Unauthenticated } from '@marimo/contracts';
import { people } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import { type Caller, type Deps, handle, type Route, reply } from '@marimo/service-kit';
import {
  findMembership,
  holdOrganisation,
  type Membership,
} from '../../organisations/organisations/index.ts';
import { revokeLink } from '../mail-links/index.ts';
import { demandStrongPassword } from '../passwords/index.ts';
import {
  createOwnThrottle,
  endSessionsOf,
  hasOwnProof,
  issueFor,
  keepProof,
  lockLivingSession,
  type ProvenIn,
  type SessionParts,
} from '../sessions/index.ts';
import { noticeTo } from './letters.ts';
import { personCalling } from './own-call.ts';
import { findAccount, lockAccount, nameOfOrganisation, setPassword, tenantsOf } from './store.ts';

export function passwordChangeRoute(deps: Deps, { hasher, keys, metrics }: SessionParts): Route {
  const throttle = createOwnThrottle(deps.cache);
  return handle(people.changePassword, async (call) => {
    const caller = personCalling(call);
    const { current, new: wanted } = call.body;
    const { account, organisation } = await call.readInTenant(async (tx) => ({
      account: await findAccount(tx, caller.userId),
      organisation: await nameOfOrganisation(tx),
    }));
    if (account === undefined) throw new Unauthenticated({});
    const { email, name, passwordHash } = account;
    if (passwordHash === null) throw new people.PasswordNotSet({});
    const { userId: personId, sessionId } = caller;
    const attempt = { personId, sessionId, ownProof: hasOwnProof(caller) };
    await throttle.begin(attempt);
    if (!(await hasher.matches(current, passwordHash, call.signal)))
      throw new people.CurrentPasswordWrong({});
    await throttle.succeeded(attempt);
    demandStrongPassword(wanted, { organisation, name, email });

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
  readonly session: ProvenIn;
  readonly now: Date;
}

/** Password, sessions of every organisation, mail and events in one transaction. */
async function replacePassword(tx: Transaction, deps: Deps, change: Change): Promise<Changed> {
  const { outbox, clock } = deps;
  const { userId: personId, tenantId, sessionId: except } = change.caller;
  const account = await lockAccount(tx, personId);
  // Another change came first, so what was proved is not the password any more.
  if (account?.passwordHash !== change.passwordHash) throw new people.CurrentPasswordWrong({});
  const now = clock();
  await setPassword(tx, personId, change.newHash);
  await revokeLink(tx, 'reset-password', personId);
  // It may lead to a new e-mail that somebody else asked for, and with that mailbox to a password of theirs.
  await revokeLink(tx, 'verify-email', personId);
  const elsewhere = (await tenantsOf(tx, personId)).filter((each) => each !== tenantId);
  await tx.inEachTenant(elsewhere, async (_, there) => {
    await endSessionsOf(there, outbox, { personId, reason: 'password', now });
  });
  const here = await tx.enterTenant(tenantId);
  await endSessionsOf(here, outbox, { personId, reason: 'password', except, now });
  const linkId = await noticeTo(here, account, now);
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
  await holdOrganisation(tx);
  const membership = await findMembership(tx, personId, now);
  const session = await lockLivingSession(tx, { sessionId, personId }, now);
  if (membership === undefined || session === undefined) throw new Unauthenticated({});
  if (membership.hasSecondFactor) return { membership, session: { ...session, sessionId, authenticatedAt } };
  const proof = { authenticatedAt: now, methods: [...new Set([...session.methods, 'pwd' as const])] };
  await keepProof(tx, sessionId, proof);
  return { membership, session: { ...session, ...proof, sessionId } };
}
