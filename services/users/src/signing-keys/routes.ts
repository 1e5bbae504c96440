import { getSigningKeys } from '@marimo/contracts/users';
import { handle, type Route, reply } from '@marimo/service-kit';
import type { KeyRing } from './key-ring.ts';

export const signingKeyRoutes = (keys: KeyRing): readonly Route[] => [
  handle(getSigningKeys, async () =>
    reply(
      200,
      { keys: [...(await keys.published())] },
      { 'cache-control': 'public, max-age=60, stale-if-error=86400' },
    ),
  ),
];
