import { signInProviders } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import type { Deps } from '@marimo/service-kit';
import type { UsersSettings } from '../../settings.ts';
import type { FactorKeys, SecondFactorParts } from '../second-factors/index.ts';
import type { SessionParts } from '../sessions/index.ts';
import { deriveKey } from '../signing-keys/index.ts';
import { createFlows, type Flows } from './flow.ts';
import { createProviderClient, type ProviderClient } from './provider-client.ts';
import type { Provider } from './store.ts';

export interface ProviderParts
  extends Pick<SessionParts, 'keys' | 'metrics' | 'secondStep'>,
    Pick<SecondFactorParts, 'factorKeys'> {
  readonly flows: Flows;
  readonly client: ProviderClient;
  readonly redirectUriOf: (tenantId: string) => string;
}

/** What this slice makes for itself of the settings. */
export function providerParts(
  { settings: { production, portalUrl }, log }: Deps,
  { jwtSecret }: UsersSettings,
): Pick<ProviderParts, 'flows' | 'client' | 'redirectUriOf'> {
  // Each organisation's own: a code that comes back elsewhere than its sign-in was begun for goes no further.
  const redirectUriOf = (tenantId: string) =>
    `${portalUrl}${signInProviders.callback.path.replace('{organisationId}', tenantId)}`;
  return {
    flows: createFlows(deriveKey(jwtSecret, 'marimo/users/federated-sign-in')),
    client: createProviderClient({ production, redirectUriOf, log }),
    redirectUriOf,
  };
}

/** What a client secret is sealed under: it opens for no other provider and no other organisation. */
export function sealName(tenantId: string, providerId: string): string {
  return `sign-in-provider/${tenantId}/${providerId}`;
}

/** In the tenant of the provider; null for a public client. Errors: SignInProviderUnusable. */
export async function openSecret(
  tx: TenantTransaction,
  secrets: FactorKeys,
  { secret, providerId }: Provider,
): Promise<string | null> {
  if (secret === null) return null;
  const open = await secrets.open(tx, secret, sealName(tx.tenantId, providerId));
  if (open === null) {
    throw new signInProviders.SignInProviderUnusable({
      reason: 'Its client secret cannot be opened, because JWT_SECRET has changed. Enter the secret again.',
    });
  }
  return open.toString();
}
