import { isDeepStrictEqual } from 'node:util';
import type { signInProviders } from '@marimo/contracts/users';
import type { ProviderSettings } from './store.ts';

type WritableSettings = Omit<signInProviders.NewSignInProvider, 'providerId' | 'clientSecret'>;
type Settings = { [K in keyof WritableSettings]: WritableSettings[K] };

/** What an organisation decides, and nothing beside it; lists that are sets are in order, so that the same is the same. */
export function settingsOf(given: ProviderSettings): Settings {
  return {
    name: given.name,
    issuer: given.issuer,
    clientId: given.clientId,
    scopes: inOrder(given.scopes),
    rolesClaim: given.rolesClaim,
    roles: { ...given.roles },
    defaultRoles: inOrder(given.defaultRoles),
    createMembers: given.createMembers,
    emailDomains: inOrder(given.emailDomains),
    trustSecondFactor: given.trustSecondFactor,
    clientAuthentication: given.clientAuthentication,
    enabled: given.enabled,
  };
}

type Wanted = { readonly [K in keyof ProviderSettings]?: ProviderSettings[K] | undefined };

/** What is not wanted otherwise stays. */
export function changedBy(now: ProviderSettings, wanted: Wanted): ProviderSettings {
  const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  return { ...now, ...given };
}

/** The names of what is another than now. */
export function changedIn(now: ProviderSettings, wanted: Settings): string[] {
  const present = settingsOf(now);
  const names = Object.keys(present) as (keyof Settings)[];
  return names.filter((name) => !isDeepStrictEqual(present[name], wanted[name]));
}

function inOrder(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
