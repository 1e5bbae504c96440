import { type Deps, type JwksVerifier, jwksVerifier } from '@marimo/service-kit';
import { createLinkTokens, type LinkTokens } from './mail-links/index.ts';
import { createHasher, newPasswordKey, passwordKey } from './passwords/index.ts';
import { createSecondStep, relyingPartyOf } from './second-factors/index.ts';
import { knownDevices, readRevocations, type SessionParts, signInMetrics } from './sessions/index.ts';
import { createKeyRing, createSeal, deriveKey } from './signing-keys/index.ts';

export interface Choices {
  /** bcrypt's work factor; only tests choose, because 12 takes a fifth of a second. */
  readonly passwordCost?: number;
}

/** What the slices of one running service share. */
export interface Parts extends SessionParts {
  readonly verifier: JwksVerifier;
  readonly links: LinkTokens;
}

export function makeParts(deps: Deps, { passwordCost }: Choices): Parts {
  const { database, settings, clock, log } = deps;
  const keys = createKeyRing({ database, seal: createSeal(settings.jwtSecret), clock });
  let key: Promise<Buffer> | undefined;
  return {
    keys,
    refreshKey: deriveKey(settings.jwtSecret, 'marimo/users/refresh-token-successor'),
    links: createLinkTokens(deriveKey(settings.jwtSecret, 'marimo/users/mail-link'), settings.portalUrl),
    metrics: signInMetrics(deps.metrics),
    devices: knownDevices(deriveKey(settings.jwtSecret, 'marimo/users/known-device')),
    secondStep: createSecondStep(relyingPartyOf(settings)),
    hasher: createHasher({
      ...(passwordCost !== undefined && { cost: passwordCost }),
      key() {
        key ??= database.withoutTenant((tx) => passwordKey(tx, newPasswordKey()));
        // A database that was away a moment ago is asked again.
        key.catch(() => {
          key = undefined;
        });
        return key;
      },
    }),
    // The verifier of every service, only that its questions need no network here.
    verifier: jwksVerifier({
      source: { keys: () => keys.published(), revocations: (after) => readRevocations(deps, after) },
      log,
      now: () => clock().getTime(),
    }),
  };
}
