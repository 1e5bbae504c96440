import type { Deps } from '@marimo/service-kit';
import type { PasswordHasher } from '../passwords/index.ts';
import type { SessionParts } from '../sessions/index.ts';
import { createFactorKeys } from './factor-keys.ts';
import type { RelyingParty } from './passkeys.ts';
import type { Proving } from './proving.ts';

export interface SecondFactorParts extends Pick<SessionParts, 'keys' | 'metrics'> {
  readonly hasher: PasswordHasher;
  readonly relyingParty: RelyingParty;
  readonly proving: Proving;
}

/** What this slice makes for itself of the settings. */
export function secondFactorParts(
  { outbox, settings }: Deps,
  shared: Pick<SessionParts, 'keys' | 'metrics' | 'hasher'>,
): SecondFactorParts {
  const relyingParty = relyingPartyOf(settings);
  const keys = createFactorKeys(settings.jwtSecret, settings.previousJwtSecret);
  return { ...shared, relyingParty, proving: { outbox, keys, relyingParty } };
}

export function relyingPartyOf({ webauthn }: Deps['settings']): RelyingParty {
  return { id: webauthn.rpId, origins: webauthn.origins };
}
