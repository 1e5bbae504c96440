import { people } from '@marimo/contracts/users';
import { type Deps, demandMatch, etagOf, handle, type Route, reply, requireFound } from '@marimo/service-kit';
import { findMembership, meOf, versionOfMe } from '../../organisations/organisations/index.ts';
import { demandSayOverSelf } from '../sessions/index.ts';
import { personCalling } from './own-call.ts';
import { type Account, lockAccount, updateProfile } from './store.ts';

export function profileRoute({ outbox, clock }: Deps): Route {
  return handle(people.changeMe, async (call) => {
    const caller = personCalling(call);
    const { userId, methods } = caller;
    return call.inTenant(async (tx) => {
      const now = clock();
      const account = requireFound(await lockAccount(tx, userId), 'member');
      const before = requireFound(await findMembership(tx, userId, now), 'member');
      const seen = meOf(before, methods);
      demandMatch(call, versionOfMe(seen));

      const { profile, changed } = profileAfter(account, call.body);
      if (changed.length === 0) return reply(200, seen, { etag: etagOf(versionOfMe(seen)) });
      await demandSayOverSelf(tx, caller);
      await updateProfile(tx, userId, profile);
      await outbox.add(tx, people.changed, userId, { userId, changed });
      const after = { ...seen, user: { ...seen.user, ...profile } };
      return reply(200, after, { etag: etagOf(versionOfMe(after)) });
    });
  });
}

const fields = ['name', 'language', 'timeZone'] as const;

/** The profile as it is wanted, and what of it is another than now. */
function profileAfter(now: Pick<Account, (typeof fields)[number]>, wanted: people.ChangeMe) {
  const { name = now.name, language = now.language, timeZone = now.timeZone } = wanted;
  const profile = { name, language, timeZone };
  return { profile, changed: fields.filter((field) => profile[field] !== now[field]) };
}
