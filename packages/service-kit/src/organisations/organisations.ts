import { organisations as contract } from '@marimo/contracts/users';
import type { Database } from '@marimo/postgres';
import type { ServiceClient } from '@marimo/resilience';
import { LRUCache } from 'lru-cache';
import type { SignedInCall } from '../route.ts';
import { getFacts, type OrganisationFacts } from './store.ts';

export interface Organisations {
  /**
   * The facts of the caller's organisation; a change arrives within seconds.
   *
   * Errors: Unavailable, when they are not here yet and `users` is away.
   */
  of(call: OrganisationCall): Promise<OrganisationFacts>;
}

type OrganisationCall = Pick<SignedInCall, 'tenantId' | 'deadlineAt' | 'signal'> & {
  readonly caller: Pick<SignedInCall['caller'], 'bearer'>;
};

/** The consumer of one instance writes what all of them read, so none remembers it for long. */
const rememberedMs = 5_000;
const mostRemembered = 10_000;

/** Reads the facts from this service's own copy; until the first event has arrived, asks `users`. */
export function knownOrganisations(database: Database, client: ServiceClient): Organisations {
  const remembered = new LRUCache<string, OrganisationFacts>({ max: mostRemembered, ttl: rememberedMs });

  return {
    async of({ tenantId, caller, deadlineAt, signal }) {
      const known = remembered.get(tenantId);
      if (known !== undefined) return known;
      const time = { deadlineAt, signal };
      const facts =
        (await database.inTenant(tenantId, getFacts, { ...time, readOnly: true })) ??
        (await client.call(contract.get, { bearer: caller.bearer, ...time })).body;
      remembered.set(tenantId, facts);
      return facts;
    },
  };
}
