import { limits, signInProviders } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import {
  type Deps,
  etagOf,
  handle,
  type Route,
  reply,
  requireFound,
  requireMatch,
  type SignedInCall,
} from '@marimo/service-kit';
import { requireMayGive } from '../../access/conflicting-duties/index.ts';
import { lockOrganisation } from '../../organisations/organisations/index.ts';
import { deleteIdentitiesOf } from './identity-store.ts';
import { openSecret, type ProviderParts, sealName } from './parts.ts';
import { offersPkce, requireAllowedAddress } from './provider-client.ts';
import { changedBy, changedIn, settingsOf } from './sign-in-providers.ts';
import { getProvider, insertProvider, listProviders, type Provider, updateProvider } from './store.ts';

export function providerRoutes(deps: Deps, parts: ProviderParts): readonly Route[] {
  return [connectRoute(deps, parts), ...readingRoutes(parts), changeRoute(deps, parts), checkRoute(parts)];
}

/** The provider may be away: whether it can be used, `check` tells. */
function connectRoute({ outbox, clock, settings: { production } }: Deps, parts: ProviderParts): Route {
  return handle(signInProviders.connect, (call) =>
    call.inTenant(async (tx) => {
      const { providerId, clientSecret = null } = call.body;
      const settings = settingsOf(call.body);
      await lockOrganisation(tx);
      const now = clock();
      const present = await getProvider(tx, providerId);
      if (present !== undefined) {
        const isSame = changedIn(present, settings).length === 0;
        if (!isSame || (await openSecret(tx, parts.factorKeys, present)) !== clientSecret) {
          throw new signInProviders.SignInProviderConflict({});
        }
        return answer(200, present, parts.redirectUriOf(call.tenantId));
      }
      requireAllowedAddress(settings.issuer, production);
      await requireMayMap(tx, call, settings);
      const { signInProviders: most } = limits.mostAtATime;
      if ((await listProviders(tx)).length >= most)
        throw new limits.LimitReached({ limited: 'signInProviders', most });
      const secret = await sealed(tx, parts, { providerId, clientSecret, now });
      await insertProvider(tx, { ...settings, providerId, secret }, now);
      await outbox.add(tx, signInProviders.connected, providerId, { providerId, name: settings.name });
      return answer(201, await requireProvider(tx, providerId), parts.redirectUriOf(call.tenantId));
    }),
  );
}

function readingRoutes(parts: ProviderParts): Route[] {
  return [
    handle(signInProviders.list, async (call) => {
      const found = await call.readInTenant(listProviders);
      const redirectUri = parts.redirectUriOf(call.tenantId);
      return reply(200, { items: found.map((provider) => toApiProvider(provider, redirectUri)), next: null });
    }),
    handle(signInProviders.get, async (call) => {
      const found = await call.readInTenant((tx) => requireProvider(tx, call.params.providerId));
      return answer(200, found, parts.redirectUriOf(call.tenantId));
    }),
  ];
}

function changeRoute({ outbox, clock, settings: { production } }: Deps, parts: ProviderParts): Route {
  return handle(signInProviders.change, (call) =>
    call.inTenant(async (tx) => {
      const { providerId } = call.params;
      const { clientSecret, ...wanted } = call.body;
      await lockOrganisation(tx);
      const now = clock();
      const present = await requireProvider(tx, providerId);
      requireMatch(call, present.version);
      const settings = settingsOf(changedBy(present, wanted));
      const changed = [
        ...changedIn(present, settings),
        ...(clientSecret === undefined ? [] : ['clientSecret']),
      ];
      if (changed.length === 0) return answer(200, present, parts.redirectUriOf(call.tenantId));

      requireAllowedAddress(settings.issuer, production);
      if (changed.includes('issuer') && clientSecret === undefined) requireNoSecret(present);
      // Whatever it maps to, a disabled one gives nothing: whoever may change it can always stop it.
      if (settings.enabled) await requireMayMap(tx, call, settings);
      const secret =
        clientSecret === undefined
          ? present.secret
          : await sealed(tx, parts, { providerId, clientSecret, now });
      await updateProvider(tx, { ...settings, providerId, secret });
      if (changed.includes('issuer')) await deleteIdentitiesOf(tx, providerId);
      const { name } = settings;
      await outbox.add(tx, signInProviders.changed, providerId, { providerId, name, changed });
      return answer(200, await requireProvider(tx, providerId), parts.redirectUriOf(call.tenantId));
    }),
  );
}

function checkRoute({ client }: ProviderParts): Route {
  return handle(signInProviders.check, async (call) => {
    const provider = await call.readInTenant((tx) => requireProvider(tx, call.params.providerId));
    const metadata = await client.look(provider);
    return reply(200, {
      issuer: metadata.issuer,
      authorizationEndpoint: metadata.authorization_endpoint ?? '',
      offersPkce: offersPkce(metadata),
    });
  });
}

/** The secret is never shown, so it must not be sent to where somebody points the provider either. */
function requireNoSecret({ secret }: Provider): void {
  if (secret === null) return;
  throw new signInProviders.SignInProviderUnusable({
    reason:
      'The client secret that is kept belongs to the issuer there was. Enter the one for the new issuer.',
  });
}

/** Whoever maps to roles gives them, to people of the provider's choice. */
function requireMayMap(
  tx: TenantTransaction,
  { caller }: Pick<SignedInCall, 'caller'>,
  { roles, defaultRoles }: Pick<Provider, 'roles' | 'defaultRoles'>,
): Promise<void> {
  return requireMayGive(tx, caller, [...new Set([...Object.values(roles), ...defaultRoles])]);
}

async function sealed(
  tx: TenantTransaction,
  { factorKeys }: ProviderParts,
  { providerId, clientSecret, now }: { providerId: string; clientSecret: string | null; now: Date },
): Promise<Provider['secret']> {
  if (clientSecret === null) return null;
  return factorKeys.seal(tx, Buffer.from(clientSecret), sealName(tx.tenantId, providerId), now);
}

async function requireProvider(tx: TenantTransaction, providerId: string): Promise<Provider> {
  return requireFound(await getProvider(tx, providerId), 'sign-in provider');
}

function toApiProvider(provider: Provider, redirectUri: string): signInProviders.SignInProvider {
  return {
    ...settingsOf(provider),
    providerId: provider.providerId,
    hasClientSecret: provider.secret !== null,
    redirectUri,
    createdAt: provider.createdAt,
  };
}

function answer<const S extends number>(status: S, provider: Provider, redirectUri: string) {
  return reply(status, toApiProvider(provider, redirectUri), { etag: etagOf(provider.version) });
}
