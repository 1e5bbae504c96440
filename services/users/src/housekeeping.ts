import { type BackgroundWork, type Deps, repeat } from '@marimo/service-kit';
import { forgetOldLinks } from './mail-links/index.ts';
import { countSeenSince } from './organisations/index.ts';
import { forgetOldRegistrations } from './registration/index.ts';
import { forgetUnanswered, resealFactorKeys } from './second-factors/index.ts';
import { forgetOldRevocations, type SignInMetrics } from './sessions/index.ts';

const activeForMs = 15 * 60_000;

/** Counts who is there, and forgets what has served its time. */
export function housekeeping(metricsOf: (deps: Deps) => SignInMetrics): BackgroundWork {
  return {
    name: 'housekeeping',
    async start(deps) {
      const { database, clock, log } = deps;
      const { activePeople } = metricsOf(deps);
      const stopCounting = repeat({ name: 'counting active users', pauseMs: 15_000, log }, async () => {
        const since = new Date(clock().getTime() - activeForMs);
        activePeople.set(await database.withoutTenant((tx) => countSeenSince(tx, since), { readOnly: true }));
      });
      const stopForgetting = repeat(
        { name: 'forgetting old keys and revocations', pauseMs: 600_000, log },
        async () => {
          await resealFactorKeys(deps);
          await forgetUnanswered(deps);
          await forgetOldRevocations(deps);
          await forgetOldRegistrations(deps);
          await forgetOldLinks(deps);
        },
      );
      return async () => {
        await Promise.all([stopCounting(), stopForgetting()]);
      };
    },
  };
}
