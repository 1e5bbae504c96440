import type { AnyEndpoint } from '../endpoint.ts';
import type { Permission } from '../permission.ts';
import { platformHealth, platformReady } from './pages.ts';

export { PlatformHealth, platformHealth, platformReady, ServiceHealth } from './pages.ts';
export { OriginRefused, Overloaded, PlatformNotReady, ServiceSaturated } from './refusals.ts';

/** The gateway's own pages; everything else it has belongs to the services behind it. */
export const endpoints: readonly AnyEndpoint[] = [platformHealth, platformReady];

export const permissions: readonly Permission[] = [];
