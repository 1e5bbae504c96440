import type { Deps, Route } from '@marimo/service-kit';
import { exchangeRoutes, type KeyParts } from './exchange.ts';
import { keyRoutes } from './key-routes.ts';
import { accountRoutes } from './routes.ts';

export { endKeysOf, eraseKeysOf, keysOfPerson, voidKeyTokensOf } from './keys.ts';
export { getRights, getRightsOfAccount, type KeyOwner, type RightsInForce } from './store.ts';

export function serviceAccountRoutes(deps: Deps, parts: KeyParts): readonly Route[] {
  return [...accountRoutes(deps), ...keyRoutes(deps), ...exchangeRoutes(deps, parts)];
}
