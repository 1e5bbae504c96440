import { z } from 'zod';
import { personal } from '../personal.ts';

/** Bytes as WebAuthn writes them in JSON (W3C Web Authentication Level 3, section 5.1.8). */
const Base64url = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[\w-]+$/, 'must be base64url without padding');

const CredentialId = Base64url(1_400); // 1,023 bytes at most
const Transport = z.string().max(20);
const KnownCredential = z.strictObject({
  id: CredentialId,
  type: z.literal('public-key'),
  transports: z.array(Transport),
});

/** For `PublicKeyCredential.parseCreationOptionsFromJSON`. */
export const PasskeyCreationOptions = z.strictObject({
  challenge: Base64url(200),
  rp: z.strictObject({ id: z.string(), name: z.string() }),
  user: z.strictObject({ id: Base64url(100), name: personal(z.string()), displayName: personal(z.string()) }),
  pubKeyCredParams: z.array(z.strictObject({ type: z.literal('public-key'), alg: z.int() })),
  timeout: z.int(), // milliseconds
  attestation: z.literal('none'),
  excludeCredentials: z.array(KnownCredential),
  authenticatorSelection: z.strictObject({
    residentKey: z.literal('preferred'),
    userVerification: z.literal('preferred'),
  }),
});
export type PasskeyCreationOptions = z.infer<typeof PasskeyCreationOptions>;

/** For `PublicKeyCredential.parseRequestOptionsFromJSON`. */
export const PasskeyRequestOptions = z.strictObject({
  challenge: Base64url(200),
  rpId: z.string(),
  timeout: z.int(), // milliseconds
  userVerification: z.enum(['required', 'preferred']),
  /** Empty: the person chooses among the passkeys their device knows. */
  allowCredentials: z.array(KnownCredential),
});
export type PasskeyRequestOptions = z.infer<typeof PasskeyRequestOptions>;

// What browsers write themselves with `toJSON()`. They may add members at any time, so unknown ones are dropped here
// instead of refused.
const credential = {
  id: CredentialId,
  rawId: CredentialId,
  type: z.literal('public-key'),
};

export const PasskeyCreated = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: Base64url(4_000),
    attestationObject: Base64url(40_000),
    transports: z.array(Transport).max(10).default([]),
  }),
});
export type PasskeyCreated = z.infer<typeof PasskeyCreated>;

export const PasskeyAssertion = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: Base64url(4_000),
    authenticatorData: Base64url(4_000),
    signature: Base64url(12_000),
    userHandle: Base64url(100).nullish(),
  }),
});
export type PasskeyAssertion = z.infer<typeof PasskeyAssertion>;
