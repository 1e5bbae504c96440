import type { AnyEndpoint } from '@marimo/contracts';
import { endpoints as accounting } from '@marimo/contracts/accounting';
import { endpoints as users } from '@marimo/contracts/users';
import { endpoints as workers } from '@marimo/contracts/workers';

/** The services behind the gateway: what it routes to, documents, and waits for. */
export const contracts: Readonly<Record<string, readonly AnyEndpoint[]>> = { users, accounting, workers };
