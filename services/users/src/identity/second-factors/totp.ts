import { Secret, TOTP } from 'otpauth';

/** What every authenticator app knows: other values are ignored by some of them without a word. */
const parameters = { algorithm: 'SHA1', digits: 6, period: 30 } as const;
const issuer = 'Marimo ERP';
/** 160 bits, as RFC 4226, section 4, asks for. */
const secretBytes = 20;
/** One step before and one after: 30 seconds for the clock and the hand (RFC 6238, section 5.2). */
const windowSteps = 1;

export function newSecret(): Buffer {
  return Buffer.from(new Secret({ size: secretBytes }).bytes);
}

/** The secret as it is typed in, and as it is shown in a QR code. */
export function toApiTotpSecret(
  secret: Buffer,
  email: string,
): { readonly secret: string; readonly uri: string } {
  const totp = totpOf(secret, email);
  return { secret: totp.secret.base32, uri: totp.toString() };
}

/**
 * The time step a code belongs to, or undefined when it is none of the three around now. The caller sees to it that no
 * step is used twice.
 *
 * Source: RFC 6238; docs/domain/identity.md#second-factors
 */
export function stepOf(code: string, secret: Buffer, now: Date): number | undefined {
  const timestamp = now.getTime();
  const delta = totpOf(secret).validate({ token: code, timestamp, window: windowSteps });
  return delta === null ? undefined : TOTP.counter({ period: parameters.period, timestamp }) + delta;
}

function totpOf(secret: Buffer, label = ''): TOTP {
  const { buffer } = Uint8Array.from(secret);
  return new TOTP({ ...parameters, issuer, label, secret: new Secret({ buffer }) });
}
