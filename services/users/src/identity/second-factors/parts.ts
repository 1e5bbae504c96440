import type { Deps } from '@marimo/service-kit';
import type { UsersSettings } from '../../settings.ts';
import type { SessionParts } from '../sessions/index.ts';
import { createFactorKeys, type FactorKeys } from './factor-keys.ts';
import type { RelyingParty } from './passkeys.ts';
import type { Proving } from './proving.ts';

export interface SecondFactorParts extends Pick<SessionParts, 'keys' | 'metrics' | 'hasher'> {
  readonly factorKeys: FactorKeys;
  readonly relyingParty: RelyingParty;
  readonly proving: Proving;
}

/** What this slice makes for itself of the settings. */
export function secondFactorParts(
  { outbox }: Pick<Deps, 'outbox'>,
  { jwtSecret, previousJwtSecret, webauthn }: UsersSettings,
): Pick<SecondFactorParts, 'factorKeys' | 'relyingParty' | 'proving'> {
  const relyingParty = { id: webauthn.rpId, origins: webauthn.origins };
  const factorKeys = createFactorKeys(jwtSecret, previousJwtSecret);
  return { factorKeys, relyingParty, proving: { outbox, keys: factorKeys, relyingParty } };
}
