import type { Deps } from '@marimo/service-kit';
import type { UsersSettings } from '../../settings.ts';
import type { SessionParts } from '../sessions/index.ts';
import { createFactorKeys, type FactorKeys } from './factor-keys.ts';
import type { RelyingParty } from './passkeys.ts';
import type { VerificationParts } from './verify-second-factor.ts';

export interface SecondFactorParts extends Pick<SessionParts, 'keys' | 'metrics' | 'hasher'> {
  readonly factorKeys: FactorKeys;
  readonly relyingParty: RelyingParty;
  readonly verification: VerificationParts;
}

/** What this slice makes for itself of the settings. */
export function secondFactorParts(
  { outbox }: Pick<Deps, 'outbox'>,
  { jwtSecret, previousJwtSecret, webauthn }: UsersSettings,
): Pick<SecondFactorParts, 'factorKeys' | 'relyingParty' | 'verification'> {
  const relyingParty = { id: webauthn.rpId, origins: webauthn.origins };
  const factorKeys = createFactorKeys(jwtSecret, previousJwtSecret);
  return { factorKeys, relyingParty, verification: { outbox, keys: factorKeys, relyingParty } };
}
