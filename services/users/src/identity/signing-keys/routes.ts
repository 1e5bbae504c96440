import { accessTokens } from '@marimo/contracts/users';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import type { KeyRing } from './key-ring.ts';

export const signingKeyRoutes = ({ log }: Deps, { keys }: { readonly keys: KeyRing }): readonly Route[] => [
  handle(accessTokens.getSigningKeys, async () =>
    reply(
      200,
      { keys: [...(await keys.published())] },
      { 'cache-control': 'public, max-age=60, stale-if-error=86400' },
    ),
  ),

  handle(accessTokens.rotateSigningKeys, async ({ body: { compromised } }) => {
    const { kid, signsFrom } = await keys.rotate({ compromised });
    log.warn('the signing keys were rotated by command', { kid, signsFrom, compromised });
    return reply(200, { kid, signsFrom });
  }),
];
