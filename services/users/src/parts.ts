import { type Deps, type JwksVerifier, jwksVerifier } from '@marimo/service-kit';
import { createLinkTokens, type LinkTokens } from './identity/mail-links/index.ts';
import {
  createHasher,
  getPasswordKey,
  newPasswordKey,
  type PasswordHasher,
} from './identity/passwords/index.ts';
import {
  createSecondStep,
  type SecondFactorParts,
  secondFactorParts,
} from './identity/second-factors/index.ts';
import {
  knownDevices,
  readRevocations,
  type SessionParts,
  signInMetrics,
} from './identity/sessions/index.ts';
import { type ProviderParts, providerParts } from './identity/sign-in-providers/index.ts';
import { createKeyRing, createSeal, deriveKey } from './identity/signing-keys/index.ts';
import type { UsersSettings } from './settings.ts';

/** What the slices of one running service share. */
export interface Parts extends SessionParts, SecondFactorParts, ProviderParts {
  readonly verifier: JwksVerifier;
  readonly links: LinkTokens;
  readonly settings: UsersSettings;
}

/** @param passwordCost bcrypt's work factor; only tests choose, because 12 takes a fifth of a second */
export function makeParts(deps: Deps, settings: UsersSettings, passwordCost?: number): Parts {
  const { database, clock, log } = deps;
  const { jwtSecret } = settings;
  const keys = createKeyRing({ database, seal: createSeal(jwtSecret), clock });
  const shared = {
    keys,
    refreshKey: deriveKey(jwtSecret, 'marimo/users/refresh-token-successor'),
    links: createLinkTokens(deriveKey(jwtSecret, 'marimo/users/mail-link'), deps.settings.portalUrl),
    metrics: signInMetrics(deps.metrics),
    devices: knownDevices(deriveKey(jwtSecret, 'marimo/users/known-device')),
    secondStep: createSecondStep({ id: settings.webauthn.rpId, origins: settings.webauthn.origins }),
    hasher: hasherOf(deps, passwordCost),
  };
  return {
    ...shared,
    ...secondFactorParts(deps, settings),
    ...providerParts(deps, settings),
    settings,
    // The verifier of every service, only that its questions need no network here.
    verifier: jwksVerifier({
      source: { keys: () => keys.published(), revocations: (after) => readRevocations(deps, after) },
      log,
      now: () => clock().getTime(),
    }),
  };
}

function hasherOf({ database }: Deps, cost: number | undefined): PasswordHasher {
  let key: Promise<Buffer> | undefined;
  return createHasher({
    ...(cost !== undefined && { cost }),
    key() {
      key ??= database.withoutTenant((tx) => getPasswordKey(tx, newPasswordKey()));
      // A database that was away a moment ago is asked again.
      key.catch(() => {
        key = undefined;
      });
      return key;
    },
  });
}
