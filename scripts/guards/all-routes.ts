import type { AnyEndpoint, ServiceName } from '@marimo/contracts';
import { endpointsByService } from '@marimo/contracts/all';

export interface Route {
  readonly service: ServiceName;
  readonly endpoint: AnyEndpoint;
}

/** Every route of every service: a new one is guarded from its first run on. */
export const allRoutes: readonly Route[] = Object.entries(endpointsByService).flatMap(
  ([service, endpoints]) => endpoints.map((endpoint) => ({ service: service as ServiceName, endpoint })),
);

export const nameOf = ({ method, path }: Pick<AnyEndpoint, 'method' | 'path'>) => `${method} ${path}`;
