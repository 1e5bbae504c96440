import { organisations } from '@marimo/contracts/users';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { hasPersonalAuthentication, type SessionParts, signedIn } from '../../identity/sessions/index.ts';
import { getOrganisationHere, listMemberships } from './store.ts';
import { switchTo } from './switching.ts';

export function membershipRoutes({ outbox, clock }: Deps, parts: SessionParts): readonly Route[] {
  return [
    handle(organisations.listMemberships, async ({ caller, withoutTenant }) => {
      const items = await withoutTenant(async (tx) => {
        const found: organisations.OrganisationMembership[] = [];
        const known = await listMemberships(tx, caller.userId);
        // Where else somebody works is not for the eyes of who has only a provider's word, or a key.
        const everywhere = hasPersonalAuthentication(caller);
        const places = known.filter(({ tenantId }) => everywhere || tenantId === caller.tenantId);
        const memberships = new Map(places.map(({ tenantId, state }) => [tenantId, state]));
        await tx.inEachTenant([...memberships.keys()], async (tenantId, there) => {
          const organisation = await getOrganisationHere(there);
          const membership = memberships.get(tenantId);
          if (organisation && membership) found.push({ ...organisation, membership });
        });
        return found;
      });
      return reply(200, { items: items.sort((a, b) => a.name.localeCompare(b.name)) });
    }),

    handle(organisations.switchTo, async (call) => {
      const { caller } = call;
      const { organisationId } = call.body;
      const now = clock();
      const { membership, session } = await call.withoutTenant((tx) =>
        switchTo(tx, outbox, { caller, organisationId, method: 'switch', call, now }),
      );
      parts.metrics.tokens.inc({ type: 'access' });
      parts.metrics.tokens.inc({ type: 'refresh' });
      return reply(200, await signedIn(parts.keys, membership, session, now));
    }),
  ];
}
