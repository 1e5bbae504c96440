import { Absent, Unauthenticated } from '@marimo/contracts';
import type { sessions } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import { type Call, type Caller, requireFound } from '@marimo/service-kit';
import {
  actingAs,
  leaveSession,
  methodsElsewhere,
  requirePersonalAuthentication,
  type StartedSession,
  startSession,
} from '../../identity/sessions/index.ts';
import { getMembership, lockOrganisationShared, type Membership } from '../organisations/index.ts';
import { isActiveHere } from './store.ts';

export interface Switching {
  readonly caller: Caller;
  readonly organisationId: string;
  readonly method: sessions.SignInMethod;
  readonly call: Pick<Call, 'userAgent' | 'address'>;
  readonly now: Date;
}

export interface Switched {
  readonly membership: Membership;
  readonly session: StartedSession;
}

/**
 * Ends the caller's session and begins one in the other organisation, with the same proof of identity. `before` is done
 * in the other organisation first. In a transaction without a tenant.
 *
 * Errors: Absent for an organisation the caller cannot work in, whether it exists or not; Unauthenticated when the
 * session has ended, or there is none: an API key stays where it is; OwnProofNeeded where only a provider of the
 * organisation that is left vouches for them.
 */
export async function switchTo(
  tx: Transaction,
  outbox: Outbox,
  { caller, organisationId, method, call, now }: Switching,
  before: (tx: TenantTransaction) => Promise<void> = async () => {},
): Promise<Switched> {
  const { userId: personId, sessionId, tenantId } = caller;
  let switched: Switched | undefined;
  let proof: Awaited<ReturnType<typeof leaveSession>>;
  await tx.inEachTenant([tenantId], async (_, here) => {
    await lockOrganisationShared(here);
    proof = await leaveSession(here, outbox, { sessionId, personId }, now);
  });
  if (proof === undefined) throw new Unauthenticated({});
  requirePersonalAuthentication(proof);
  // It is the same sign-in, so it ends when that would have ended.
  const { authenticatedAt, expiresAt } = proof;
  const methods = methodsElsewhere(proof.methods);
  await tx.inEachTenant([organisationId], (_, there) =>
    actingAs(organisationId, personId, async () => {
      await before(there);
      await lockOrganisationShared(there);
      if (!(await isActiveHere(there, personId))) throw new Absent({ resource: 'organisation' });
      const { userAgent, address } = call;
      const start = { personId, method, methods, authenticatedAt, userAgent, address, expiresAt, now };
      const session = await startSession(there, outbox, start);
      const membership = requireFound(await getMembership(there, personId, now), 'organisation');
      switched = { membership, session };
    }),
  );
  if (switched === undefined) throw new Error('An organisation was not entered');
  return switched;
}
