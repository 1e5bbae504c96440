import type { Deps, Route } from '@marimo/service-kit';
import type { ProviderParts } from './parts.ts';
import { providerRoutes } from './provider-routes.ts';
import { federatedSignInRoutes } from './sign-in-routes.ts';

export { type ProviderParts, providerParts } from './parts.ts';

export function signInProviderRoutes(deps: Deps, parts: ProviderParts): readonly Route[] {
  return [...providerRoutes(deps, parts), ...federatedSignInRoutes(deps, parts)];
}
