import { endpoints as accounting, permissions as ofAccounting } from './accounting/index.ts';
import type { AnyEndpoint } from './endpoint.ts';
import type { Permission } from './permission.ts';
import { permissions as ofUsers, endpoints as users } from './users/index.ts';
import { permissions as ofWorkers, endpoints as workers } from './workers/index.ts';

/** The services behind the gateway: what it routes to, documents, and waits for. */
export const contracts: Readonly<Record<string, readonly AnyEndpoint[]>> = { users, accounting, workers };

/** Everything that roles can be made of. */
export const permissions: readonly Permission[] = [...ofUsers, ...ofAccounting, ...ofWorkers];
