import { runPeriodically } from '@marimo/observability';
import type { BackgroundWork } from '@marimo/service-kit';
import type { UsersSettings } from '../../settings.ts';
import type { KeyRing } from './key-ring.ts';

const dayMs = 24 * 60 * 60 * 1_000;

/** Makes a new signing key when the present one has served its days; of several processes one does. */
export const rotatingKeys: BackgroundWork<{ readonly keys: KeyRing; readonly settings: UsersSettings }> = {
  name: 'rotating signing keys',
  async start({ log }, { keys, settings }) {
    const unlessYoungerThanMs = settings.signingKeyDays * dayMs;
    return runPeriodically({ name: 'rotating signing keys', pauseMs: 3_600_000, log }, async () => {
      await keys.rotate({ unlessYoungerThanMs });
    });
  },
};
