import type { AnyEndpoint } from '../endpoint.ts';
import type { Permission } from '../permission.ts';
import { platformHealth, platformReady } from './pages.ts';

export {
  applyGatewayChange,
  CanaryOrder,
  ChangeEffect,
  GatewayChange,
  GatewayTrial,
  JournalEntry,
  listGatewayChanges,
  listOperatorBreakers,
  listOperatorInstances,
  listOperatorLimits,
  listOperatorRoutes,
  OperatorInstance,
  OperatorRoute,
  OrdersHeld,
  operatorEndpoints,
  purgeOperatorCache,
  RouteOrder,
  readOperatorCache,
  readOperatorState,
  resetOperatorBreaker,
  tryGatewayChange,
} from './operators.ts';
export { PlatformHealth, PlatformReady, platformHealth, platformReady, ServiceHealth } from './pages.ts';
export {
  ChangeRefused,
  OriginRefused,
  Overloaded,
  PlatformNotReady,
  ServiceSaturated,
  TooManySockets,
} from './refusals.ts';

/** The gateway's own pages; everything else it has belongs to the services behind it. */
export const endpoints: readonly AnyEndpoint[] = [platformHealth, platformReady];

export const permissions: readonly Permission[] = [];
