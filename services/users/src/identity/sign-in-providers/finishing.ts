import { type accessTokens, type secondFactors, signInProviders } from '@marimo/contracts/users';
import type { Call, Deps } from '@marimo/service-kit';
import { getMembership, lockOrganisation, type Membership } from '../../organisations/organisations/index.ts';
import { lockAuthentication } from '../people/index.ts';
import { actingAs, type StartedSession, startSession } from '../sessions/index.ts';
import { type Arrival, linkAccount, recognise } from './account-linking.ts';
import { type Claims, hadSecondFactor, lacksRolesClaim, provedAt, subjectIn, wantedRoles } from './claims.ts';
import type { ProviderParts } from './parts.ts';
import { followProvider } from './roles-by-provider.ts';
import { getProvider, type Provider } from './store.ts';

export interface Vouched {
  readonly tenantId: string;
  /** As it was when it vouched. */
  readonly provider: Provider;
  readonly claims: Claims;
  /** It was told to ask anew who it is. */
  readonly freshly: boolean;
}

export interface Started {
  readonly membership: Membership;
  readonly session: StartedSession;
  readonly now: Date;
}

/**
 * Somebody the provider vouches for signs in: person, membership, roles and session in one transaction; or is asked for
 * their second factor.
 *
 * Errors: FederatedSignInRefused, FederatedAccountRefused, SeparationOfDutiesViolated, TooManyRights.
 */
export async function arrive(
  { outbox, clock, log }: Deps,
  { secondStep }: ProviderParts,
  { userAgent, address, inTenantOf }: Pick<Call, 'userAgent' | 'address' | 'inTenantOf'>,
  { tenantId, provider, claims, freshly }: Vouched,
): Promise<Started | secondFactors.SecondFactorAsked> {
  const subject = subjectIn(claims);
  if (subject === undefined) throw new signInProviders.FederatedSignInRefused({});
  return inTenantOf(tenantId, async (tx) => {
    // The time is taken behind the lock: no token made meanwhile is younger than what voids it.
    await lockOrganisation(tx);
    const now = clock();
    // Another by now, it may have another issuer, and the same subject is then somebody else.
    const present = await getProvider(tx, provider.providerId);
    if (!present?.enabled || present.version !== provider.version)
      throw new signInProviders.FederatedSignInRefused({});

    const arrival: Arrival = { provider, claims, subject, now };
    const recognised = await recognise(tx, arrival);
    const { personId } = recognised;
    return actingAs(tenantId, personId, async () => {
      await linkAccount(tx, outbox, arrival, recognised);
      const roles = wantedRoles(claims, provider);
      const { providerId, rolesClaim } = provider;
      if (lacksRolesClaim(claims, provider)) {
        const missing = { userId: personId, providerId, rolesClaim };
        await outbox.add(tx, signInProviders.rolesClaimMissing, personId, missing);
      }
      await followProvider(tx, { outbox, log }, { personId, providerId, roles, now });
      await lockAuthentication(tx, personId);
      const membership = await getMembership(tx, personId, now);
      if (membership === undefined)
        throw new signInProviders.FederatedAccountRefused({ reason: 'no-member' });

      const trusted = provider.trustSecondFactor && hadSecondFactor(claims);
      const methods: accessTokens.AuthenticationMethod[] = trusted ? ['fed', 'mfa'] : ['fed'];
      if (membership.hasSecondFactor && !trusted) {
        return secondStep.ask(tx, { personId, methods, passwordHash: null, now });
      }
      const proof = { methods, authenticatedAt: provedAt(claims, freshly, now) };
      const start = { personId, method: 'federated', ...proof, userAgent, address, now } as const;
      return { membership, session: await startSession(tx, outbox, start), now };
    });
  });
}
