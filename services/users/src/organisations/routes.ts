import { Absent } from '@marimo/contracts';
import { organisations, sessions } from '@marimo/contracts/users';
import { type Deps, etagOf, handle, type Route, reply } from '@marimo/service-kit';
import { meOf, versionOfMe } from './me.ts';
import { findSettings } from './state-store.ts';
import { findMembership } from './store.ts';

export const organisationRoutes = ({ clock }: Deps): readonly Route[] => [
  handle(sessions.me, async (call) => {
    const userId = call.caller?.userId ?? '';
    const membership = await call.readInTenant((tx) => findMembership(tx, userId, clock()));
    if (membership === undefined) throw new Absent({ resource: 'member' });
    const seen = meOf(membership, call.caller?.methods ?? []);
    return reply(200, seen, { etag: etagOf(versionOfMe(seen)) });
  }),

  handle(organisations.get, async (call) => {
    const found = await call.readInTenant(findSettings);
    if (found === undefined) throw new Absent({ resource: 'organisation' });
    return reply(200, found.settings, { etag: etagOf(found.version) });
  }),
];
