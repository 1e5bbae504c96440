import { organisations, sessions } from '@marimo/contracts/users';
import { type Deps, etagOf, handle, type Route, reply, requireFound } from '@marimo/service-kit';
import { meOf, versionOfMe } from './me.ts';
import { getSettings } from './state-store.ts';
import { getMembership } from './store.ts';

export const organisationRoutes = ({ clock }: Deps): readonly Route[] => [
  handle(sessions.me, async (call) => {
    const { userId, methods } = call.caller;
    const membership = await call.readInTenant((tx) => getMembership(tx, userId, clock()));
    const seen = meOf(requireFound(membership, 'member'), methods);
    return reply(200, seen, { etag: etagOf(versionOfMe(seen)) });
  }),

  handle(organisations.get, async (call) => {
    const { settings, version } = requireFound(await call.readInTenant(getSettings), 'organisation');
    return reply(200, settings, { etag: etagOf(version) });
  }),
];
