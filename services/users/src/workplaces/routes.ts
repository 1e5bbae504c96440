import { Unauthenticated } from '@marimo/contracts';
import { organisations } from '@marimo/contracts/users';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { hasOwnProof, type SessionParts, signedIn } from '../sessions/index.ts';
import { organisationHere, placesOf } from './store.ts';
import { switchTo } from './switching.ts';

export function workplaceRoutes({ database, outbox, clock }: Deps, parts: SessionParts): readonly Route[] {
  return [
    handle(organisations.listWorkplaces, async ({ caller, deadlineAt, signal }) => {
      const items = await database.withoutTenant(
        async (tx) => {
          const found: organisations.Workplace[] = [];
          const known = await placesOf(tx, caller?.userId ?? '');
          // Where else somebody works is not for the eyes of who has only a provider's word, or a key.
          const everywhere = caller !== undefined && hasOwnProof(caller);
          const places = known.filter(({ tenantId }) => everywhere || tenantId === caller?.tenantId);
          const memberships = new Map(places.map(({ tenantId, state }) => [tenantId, state]));
          await tx.inEachTenant([...memberships.keys()], async (tenantId) => {
            const organisation = await organisationHere(tx);
            const membership = memberships.get(tenantId);
            if (organisation && membership) found.push({ ...organisation, membership });
          });
          return found;
        },
        { deadlineAt, signal, readOnly: true },
      );
      return reply(200, { items: items.sort((a, b) => a.name.localeCompare(b.name)) });
    }),

    handle(organisations.switchTo, async (call) => {
      const { caller, deadlineAt, signal } = call;
      if (caller === undefined) throw new Unauthenticated({});
      const { organisationId } = call.body;
      const now = clock();
      const { membership, session } = await database.withoutTenant(
        (tx) => switchTo(tx, outbox, { caller, organisationId, method: 'switch', call, now }),
        { deadlineAt, signal },
      );
      parts.metrics.tokens.inc({ type: 'access' });
      parts.metrics.tokens.inc({ type: 'refresh' });
      return reply(200, await signedIn(parts.keys, membership, session, now));
    }),
  ];
}
