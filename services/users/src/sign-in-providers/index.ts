import type { Deps, Route } from '@marimo/service-kit';
import type { SessionParts } from '../sessions/index.ts';
import { providerParts } from './parts.ts';
import { providerRoutes } from './provider-routes.ts';
import { federatedSignInRoutes } from './sign-in-routes.ts';

export function signInProviderRoutes(deps: Deps, shared: SessionParts): readonly Route[] {
  const parts = providerParts(deps, shared);
  return [...providerRoutes(deps, parts), ...federatedSignInRoutes(deps, parts)];
}
