import { people } from '@marimo/contracts/users';
import {
  type Deps,
  etagOf,
  handle,
  type Route,
  reply,
  requireFound,
  requireMatch,
} from '@marimo/service-kit';
import { getMembership, meOf, versionOfMe } from '../../organisations/organisations/index.ts';
import { type LoginCredentials, lockCredentials, updateProfile } from '../people/index.ts';
import { requireAccountControl } from '../sessions/index.ts';
import { requirePerson } from './require-person.ts';

export function profileRoute({ outbox, clock }: Deps): Route {
  return handle(people.changeMe, async (call) => {
    const caller = requirePerson(call);
    const { userId, methods } = caller;
    return call.inTenant(async (tx) => {
      const now = clock();
      const person = requireFound(await lockCredentials(tx, userId), 'member');
      const before = requireFound(await getMembership(tx, userId, now), 'member');
      const seen = meOf(before, methods);
      requireMatch(call, versionOfMe(seen));

      const { profile, changed } = profileAfter(person, call.body);
      if (changed.length === 0) return reply(200, seen, { etag: etagOf(versionOfMe(seen)) });
      await requireAccountControl(tx, caller);
      await updateProfile(tx, userId, profile);
      await outbox.add(tx, people.changed, userId, { userId, changed });
      const after = { ...seen, user: { ...seen.user, ...profile } };
      return reply(200, after, { etag: etagOf(versionOfMe(after)) });
    });
  });
}

const fields = ['name', 'language', 'timeZone'] as const;

/** The profile as it is wanted, and what of it is another than now. */
function profileAfter(now: Pick<LoginCredentials, (typeof fields)[number]>, wanted: people.ChangeMe) {
  const { name = now.name, language = now.language, timeZone = now.timeZone } = wanted;
  const profile = { name, language, timeZone };
  return { profile, changed: fields.filter((field) => profile[field] !== now[field]) };
}
