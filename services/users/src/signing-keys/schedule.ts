import { type BackgroundWork, type Deps, repeat } from '@marimo/service-kit';
import type { KeyRing } from './key-ring.ts';

const dayMs = 24 * 60 * 60 * 1_000;

/** Makes a new signing key when the present one has served its days; of several processes one does. */
export function rotatingKeys(keysOf: (deps: Deps) => KeyRing): BackgroundWork {
  return {
    name: 'rotating signing keys',
    async start(deps) {
      const unlessYoungerThanMs = deps.settings.signingKeyDays * dayMs;
      return repeat({ name: 'rotating signing keys', pauseMs: 3_600_000, log: deps.log }, async () => {
        await keysOf(deps).rotate({ unlessYoungerThanMs });
      });
    },
  };
}
