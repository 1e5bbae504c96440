import * as accounting from './accounting/index.ts';
import { type Contract, contract } from './contract.ts';
import type { AnyEndpoint } from './endpoint.ts';
import * as gateway from './gateway/index.ts';
import type { Permission } from './permission.ts';
import * as documentRefusals from './platform/document-refusals.ts';
import * as fileRefusals from './platform/file-refusals.ts';
import * as recordRefusals from './platform/record-refusals.ts';
import * as platformRefusals from './platform/refusals.ts';
import * as sagaRefusals from './platform/saga-refusals.ts';
import * as users from './users/index.ts';
import * as workers from './workers/index.ts';

/** The services behind the gateway: what it routes to, documents, and waits for. */
export const contracts: Readonly<Record<string, Contract>> = {
  users: contract(users),
  accounting: contract(accounting),
  workers: contract(workers),
};

/** The endpoints of each service. */
export const endpointsByService: Readonly<Record<string, readonly AnyEndpoint[]>> = Object.fromEntries(
  Object.entries(contracts).map(([service, { endpoints }]) => [service, endpoints]),
);

/** The gateway's own pages; what else it answers belongs to the services behind it. */
export const gatewayContract: Contract = contract({ pages: gateway.pages, refusals: gateway.refusals });

/** What every service may answer. */
export const platformContract: Contract = contract({
  refusals: platformRefusals,
  records: recordRefusals,
  documents: documentRefusals,
  sagas: sagaRefusals,
  files: fileRefusals,
});

/** Everything that roles can be made of. */
export const permissions: readonly Permission[] = Object.values(contracts).flatMap(
  ({ permissions: declared }) => declared,
);

/** Every pair of duties that one person should not hold together. */
export const conflictingDuties = Object.values(contracts).flatMap(({ duties }) => duties);

/** Every event that services tell each other. */
export const events = Object.values(contracts).flatMap(({ events: declared }) => declared);
