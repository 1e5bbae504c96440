import type { secondFactors } from '@marimo/contracts/users';
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject } from '@simplewebauthn/server/helpers';
import { challengeIn } from './challenge-text.ts';

/** Who asks, as browsers and devices see it. */
export interface RelyingParty {
  /** A domain; passkeys are bound to it for ever. */
  readonly id: string;
  readonly origins: readonly string[];
}

export interface KnownPasskey {
  readonly credentialId: Buffer;
  readonly transports: readonly string[];
}

/** How long a browser shows its question; a little less than the challenge lasts. */
const timeout = 4 * 60_000;
/** EdDSA, ES256, RS256: what devices have. */
const algorithms = [-8, -7, -257];

export function creationOptions(
  { id }: RelyingParty,
  challenge: string,
  person: { readonly personId: string; readonly email: string; readonly name: string },
  known: readonly KnownPasskey[],
): secondFactors.PasskeyCreationOptions {
  const { personId, email, name } = person;
  return {
    challenge,
    rp: { id, name: 'Marimo ERP' },
    user: { id: userHandle(personId), name: email, displayName: name },
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key' as const, alg })),
    timeout,
    attestation: 'none',
    excludeCredentials: known.map(described),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
  };
}

export function requestOptions(
  { id }: RelyingParty,
  challenge: string,
  userVerification: 'required' | 'preferred',
  known: readonly KnownPasskey[],
): secondFactors.PasskeyRequestOptions {
  return { challenge, rpId: id, timeout, userVerification, allowCredentials: known.map(described) };
}

export interface NewPasskey extends KnownPasskey {
  readonly publicKey: Buffer;
  readonly counter: number;
}

/** The key a browser has made for this challenge; undefined when anything about it is wrong. */
export async function readCreated(
  { id, origins }: RelyingParty,
  passkey: secondFactors.PasskeyCreated,
  challenge: string,
): Promise<NewPasskey | undefined> {
  try {
    if (!needsNoCertificate(passkey)) return undefined;
    const result = await verifyRegistrationResponse({
      response: { ...passkey, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: [...origins],
      expectedRPID: id,
      requireUserVerification: false,
      supportedAlgorithmIDs: algorithms,
    });
    if (!result.verified) return undefined;
    const { credential } = result.registrationInfo;
    return {
      credentialId: Buffer.from(credential.id, 'base64url'),
      publicKey: Buffer.from(credential.publicKey),
      counter: credential.counter,
      transports: passkey.response.transports,
    };
  } catch {
    return undefined; // the library throws on everything that is not as it should be
  }
}

export interface Signature {
  readonly counter: number;
  /** The device has made sure who holds it. */
  readonly verified: boolean;
}

/** What a right signature over this challenge says; undefined when anything about it is wrong. */
export async function readAssertion(
  { id, origins }: RelyingParty,
  passkey: secondFactors.PasskeyAssertion,
  challenge: string,
  publicKey: Buffer,
): Promise<Signature | undefined> {
  const { clientDataJSON, authenticatorData, signature } = passkey.response;
  if (challengeIn(clientDataJSON) !== challenge) return undefined;
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        ...passkey,
        response: { clientDataJSON, authenticatorData, signature },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: [...origins],
      expectedRPID: id,
      // The counter is ours to judge, so that a copied key can be told from a wrong signature.
      credential: { id: passkey.id, publicKey: Uint8Array.from(publicKey), counter: 0 },
      requireUserVerification: false,
    });
    if (!verified) return undefined;
    return { counter: authenticationInfo.newCounter, verified: authenticationInfo.userVerified };
  } catch {
    return undefined; // as above
  }
}

/** A device that counts never says a number twice; one that does not count always says 0 (WebAuthn, section 6.1.1). */
export function looksCopied(known: number, said: number): boolean {
  return (known > 0 || said > 0) && said <= known;
}

/** Tells who a passkey belongs to without naming them: the bytes of their id. */
export function userHandle(personId: string): string {
  return Buffer.from(personId.replaceAll('-', ''), 'hex').toString('base64url');
}

/**
 * We ask for no attestation. Certificates that come all the same are not looked at: to check one, the library would
 * fetch what addresses in it say.
 */
function needsNoCertificate({ response }: secondFactors.PasskeyCreated): boolean {
  if (challengeIn(response.clientDataJSON) === undefined) return false;
  const attestation = decodeAttestationObject(
    Uint8Array.from(Buffer.from(response.attestationObject, 'base64url')),
  );
  const isSelfSigned = attestation.get('fmt') === 'packed' && !attestation.get('attStmt').get('x5c');
  return attestation.get('fmt') === 'none' || isSelfSigned;
}

function described({ credentialId, transports }: KnownPasskey) {
  return {
    id: credentialId.toString('base64url'),
    type: 'public-key' as const,
    transports: [...transports],
  };
}
