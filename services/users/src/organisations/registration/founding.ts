import { newId } from '@marimo/contracts';
import { founding, type identity, sessions } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { getCredentials, type LoginCredentials } from '../../identity/people/index.ts';
import { requirePerson } from '../../identity/self-service/index.ts';
import { type SessionParts, signedIn } from '../../identity/sessions/index.ts';
import { switchTo } from '../memberships/index.ts';
import { insertMember, insertOrganisation } from '../organisations/index.ts';

/** Somebody who is signed in somewhere founds another organisation and goes on there. */
export function foundRoute({ outbox, clock }: Deps, parts: SessionParts): Route {
  return handle(founding.found, async (call) => {
    const caller = requirePerson(call);
    const organisationId = newId();
    const now = clock();
    const switching = { caller, organisationId, method: 'registration', call, now } as const;
    const founding = async (tx: TenantTransaction) => {
      const founder = await getCredentials(tx, caller.userId);
      if (founder !== undefined) await found(tx, outbox, { wanted: call.body, founder, now });
    };
    const { membership, session } = await call.withoutTenant((tx) =>
      switchTo(tx, outbox, switching, founding),
    );
    parts.metrics.tokens.inc({ type: 'access' });
    parts.metrics.tokens.inc({ type: 'refresh' });
    return reply(201, await signedIn(parts.keys, membership, session, now));
  });
}

interface Founding {
  readonly wanted: founding.FoundOrganisation;
  readonly founder: LoginCredentials;
  readonly now: Date;
}

/** Makes the organisation that the tenant of the transaction is to be, with somebody who has an account. */
export async function found(
  tx: TenantTransaction,
  outbox: Outbox,
  { wanted, founder, now }: Founding,
): Promise<void> {
  const { personId, name, email, emailVerifiedAt, language, timeZone } = founder;
  const admin = { id: personId, name, email, emailVerified: emailVerifiedAt !== null, language, timeZone };
  const organisation = {
    id: tx.tenantId,
    name: wanted.organisation,
    baseCurrency: wanted.baseCurrency,
    language: wanted.language ?? language,
    timeZone: wanted.timeZone ?? timeZone,
    state: 'active' as const,
  };
  await makeOrganisation(tx, outbox, { organisation, admin }, now);
}

/** An organisation with its first administrator, whom nobody made one. */
export async function makeOrganisation(
  tx: TenantTransaction,
  outbox: Outbox,
  { organisation, admin }: { readonly organisation: identity.Organisation; readonly admin: identity.User },
  now: Date,
): Promise<void> {
  await insertOrganisation(tx, organisation, now);
  await insertMember(tx, admin.id, { roles: ['admin'], grantedBy: null }, now);
  await outbox.add(tx, sessions.organisationRegistered, organisation.id, { organisation, admin });
}
