import { runPeriodically } from '@marimo/observability';
import type { BackgroundWork } from '@marimo/service-kit';
import { forgetOldLinks } from './identity/mail-links/index.ts';
import { countSeenSince } from './identity/people/index.ts';
import { forgetUnanswered, resealFactorKeys } from './identity/second-factors/index.ts';
import { forgetOldRevocations } from './identity/sessions/index.ts';
import { forgetOldRegistrations } from './organisations/registration/index.ts';
import type { Parts } from './parts.ts';

const activeForMs = 15 * 60_000;

/** Counts who is there, and forgets what has served its time. */
export const housekeeping: BackgroundWork<Pick<Parts, 'metrics' | 'factorKeys'>> = {
  name: 'housekeeping',
  async start(deps, { metrics: { activePeople }, factorKeys }) {
    const { database, clock, log } = deps;
    const stopCounting = runPeriodically(
      { name: 'counting active users', pauseMs: 15_000, log },
      async () => {
        const since = new Date(clock().getTime() - activeForMs);
        activePeople.set(await database.withoutTenant((tx) => countSeenSince(tx, since), { readOnly: true }));
      },
    );
    const stopForgetting = runPeriodically(
      { name: 'forgetting old keys and revocations', pauseMs: 600_000, log },
      async () => {
        await resealFactorKeys(deps, factorKeys);
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
