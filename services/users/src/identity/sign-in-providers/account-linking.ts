import { newId } from '@marimo/contracts';
import { signInProviders } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import { getMember, join } from '../../organisations/members/index.ts';
import { getSettings } from '../../organisations/organisations/index.ts';
import { getPersonByEmail, insertPerson } from '../people/index.ts';
import { type Claims, mayJoin, profileIn, verifiedEmail } from './claims.ts';
import { getPersonOf, type Identity, insertIdentity, updateIdentityUse } from './identity-store.ts';
import type { Provider } from './store.ts';

/** Somebody the provider vouches for. */
export interface Arrival {
  readonly provider: Provider;
  readonly claims: Claims;
  readonly subject: string;
  readonly now: Date;
}

/** Who they are here; and, for somebody new, what is left to do. */
export type Recognised =
  | { readonly kind: 'known' | 'linked'; readonly personId: string }
  | { readonly kind: 'new'; readonly personId: string; readonly email: string };

/**
 * Recognises a person by the provider's subject, which never changes; at the first time by the address the provider has
 * verified, and only among the members of this organisation: an organisation's provider must not take over the accounts
 * of others. The organisation is locked by who calls.
 *
 * Errors: FederatedAccountRefused.
 * Source: docs/domain/identity.md#sign-in-with-an-organisations-provider
 */
export async function recognise(
  tx: TenantTransaction,
  { provider, claims, subject, now }: Arrival,
): Promise<Recognised> {
  const known = await getPersonOf(tx, { providerId: provider.providerId, subject });
  if (known !== undefined) {
    await requireActiveMember(tx, known, now, 'no-member');
    return { kind: 'known', personId: known };
  }
  const email = verifiedEmail(claims);
  if (email === undefined) throw new signInProviders.FederatedAccountRefused({ reason: 'email-unverified' });
  const person = await getPersonByEmail(tx, email);
  const mayBecome = mayJoin(email, provider) && (await getSettings(tx))?.settings.state === 'active';
  if (person !== undefined) {
    // Where nobody can become a member, the answer does not tell who has an account.
    await requireActiveMember(tx, person.personId, now, mayBecome ? 'account-elsewhere' : 'no-member');
    return { kind: 'linked', personId: person.personId };
  }
  if (!mayBecome) throw new signInProviders.FederatedAccountRefused({ reason: 'no-member' });
  return { kind: 'new', personId: newId(), email };
}

async function requireActiveMember(
  tx: TenantTransaction,
  personId: string,
  now: Date,
  otherwise: 'account-elsewhere' | 'no-member',
): Promise<void> {
  const member = await getMember(tx, personId, now);
  if (member?.state === 'active') return;
  throw new signInProviders.FederatedAccountRefused({
    reason: member?.state === 'suspended' ? 'member-suspended' : otherwise,
  });
}

/** Keeps who it was: the next sign-in goes by the subject, whatever the address is by then. */
export async function linkAccount(
  tx: TenantTransaction,
  outbox: Outbox,
  { provider, claims, subject, now }: Arrival,
  recognised: Recognised,
): Promise<void> {
  const { providerId } = provider;
  const { kind, personId } = recognised;
  const identity: Identity = { providerId, subject };
  if (kind === 'known') return updateIdentityUse(tx, identity, now);
  if (kind === 'new') await admit(tx, outbox, claims, recognised, now);
  await insertIdentity(tx, identity, personId, now);
  const data = { userId: personId, providerId, created: kind === 'new' };
  await outbox.add(tx, signInProviders.identityLinked, personId, data);
}

/** A new person without a password: the provider is all that proves who they are, until they add something. */
async function admit(
  tx: TenantTransaction,
  outbox: Outbox,
  claims: Claims,
  { personId, email }: Extract<Recognised, { kind: 'new' }>,
  now: Date,
): Promise<void> {
  const settings = (await getSettings(tx))?.settings;
  if (settings === undefined) throw new Error('Somebody joins an organisation');
  const user = { id: personId, email, emailVerified: true, ...profileIn(claims, email, settings) };
  const isNew = await insertPerson(tx, { ...user, passwordHash: null, tenantId: tx.tenantId }, now);
  // Another organisation's invitation, or registration, of the same address came a moment before.
  if (!isNew) throw new signInProviders.FederatedAccountRefused({ reason: 'account-elsewhere' });
  await join(tx, outbox, { personId, roles: [], validUntil: null, grantedBy: null, now });
}
