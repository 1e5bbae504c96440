import { z } from 'zod';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { personal } from '../personal.ts';
import { AuthenticationMethod } from './access-token.ts';

/** `totp`: an authenticator app (RFC 6238); `passkey`: a key on a device (WebAuthn). */
export const SecondFactorKind = z.enum(['totp', 'passkey']);
export type SecondFactorKind = z.infer<typeof SecondFactorKind>;

/** Subject: the person, in this and all that follow. `linkId`: of the mail that tells them, as in people.ts. */
const AboutFactor = z.strictObject({
  userId: Id,
  factorId: Id,
  kind: SecondFactorKind,
  name: personal(z.string()),
});
const ToldFactor = AboutFactor.extend({ linkId: Id });
export const added = event('users.second-factor-added.v1', ToldFactor);
export const renamed = event('users.second-factor-renamed.v1', AboutFactor);
export const removed = event('users.second-factor-removed.v1', ToldFactor);

/** By an administrator. */
export const reset = event('users.second-factors-reset.v1', z.strictObject({ userId: Id, linkId: Id }));

const AboutRecoveryCodes = z.strictObject({ userId: Id, left: z.int() });
export const recoveryCodesRenewed = event('users.recovery-codes-renewed.v1', AboutRecoveryCodes);
export const recoveryCodeUsed = event(
  'users.recovery-code-used.v1',
  AboutRecoveryCodes.extend({ linkId: Id }),
);

/** Its counter went back: somebody may have copied the key of this passkey. */
export const passkeyCopySuspected = event('users.passkey-copy-suspected.v1', AboutFactor);

/** Five wrong codes in one sign-in, after the right password: somebody else may know it. */
export const failed = event('users.second-factor-failed.v1', z.strictObject({ userId: Id }));

/** Within a session; its subject is the session. */
export const identityProved = event(
  'users.identity-proved.v1',
  z.strictObject({ sessionId: Id, userId: Id, methods: z.array(AuthenticationMethod) }),
);
