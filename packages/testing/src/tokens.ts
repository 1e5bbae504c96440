import { createPublicKey, type KeyObject } from 'node:crypto';
import { type ActingService, newId } from '@marimo/contracts';
import { accessTokens, serviceTokens } from '@marimo/contracts/users';
import jwt from 'jsonwebtoken';
import { nextPrivateKey } from './key-pairs.ts';

/** A stand-in for `users`: signs tokens as it does, and shows the public key as it does. */
export interface TestSigner {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: accessTokens.SigningKey;
  /** Signs; what is given replaces the claim or header of a good token, undefined leaves it out. */
  sign(claims?: Replacing<accessTokens.AccessTokenClaims>, header?: Record<string, unknown>): string;
  /** The same for a service's token: that of `workers`, in no organisation, unless told. */
  signService(claims?: Replacing<serviceTokens.ServiceTokenClaims>, header?: Record<string, unknown>): string;
}

type Replacing<T> = { readonly [K in keyof T]?: unknown } & Readonly<Record<string, unknown>>;

export interface TokenHolder {
  readonly roles?: readonly string[];
  readonly tenantId?: string;
  readonly userId?: string;
  readonly sessionId?: string;
  /** A program cannot prove who it is. */
  readonly isProgram?: boolean;
}

/** The organisation and the user that tests act as unless they say otherwise. */
export const testTenantId = '01920000-0000-7000-8000-00000000000a';
export const testUserId = '01920000-0000-7000-8000-000000000001';

/** Two signers of one file of tests have different keys. */
export function makeSigner(keyId: string = newId(), privateKey: KeyObject = nextPrivateKey()): TestSigner {
  const publicKey = createPublicKey(privateKey);
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const { algorithm, issuer, audience, type, lifetimeSeconds } = accessTokens.accessToken;
  const signed = (claims: object, header: object) => {
    const payload = JSON.parse(JSON.stringify(claims)); // leaves out what is undefined
    return jwt.sign(payload, privateKey, { algorithm, header: { alg: algorithm, kid: keyId, ...header } });
  };
  return {
    privateKey,
    publicKey,
    jwk: { kty: 'RSA', use: 'sig', alg: algorithm, kid: keyId, n, e },
    sign(claims = {}, header = {}) {
      const iat = Math.floor(Date.now() / 1000);
      const good: accessTokens.AccessTokenClaims = {
        iss: issuer,
        aud: audience,
        sub: testUserId,
        tid: testTenantId,
        sid: newId(),
        rv: 1,
        roles: ['admin'],
        grants: [],
        auth_time: iat,
        amr: ['pwd'],
        iat,
        exp: iat + lifetimeSeconds,
      };
      return signed({ ...good, ...claims }, { typ: type, ...header });
    },
    signService(claims = {}, header = {}) {
      const iat = Math.floor(Date.now() / 1000);
      const good: serviceTokens.ServiceTokenClaims = {
        iss: serviceTokens.serviceToken.issuer,
        aud: serviceTokens.serviceToken.audience,
        sub: 'workers',
        iat,
        exp: iat + serviceTokens.serviceToken.lifetimeSeconds,
      };
      return signed({ ...good, ...claims }, { typ: serviceTokens.serviceToken.type, ...header });
    },
  };
}

let shared: TestSigner | undefined;

/** One signer for the whole test file: making a key pair takes longer than most tests. */
export function sharedSigner(): TestSigner {
  shared ??= makeSigner();
  return shared;
}

/** A good access token of somebody with these roles: `tokenFor({ roles: ['accountant'] })`. */
export function tokenFor(holder: TokenHolder = {}): string {
  const { roles = ['admin'], tenantId, userId, sessionId, isProgram = false } = holder;
  return sharedSigner().sign({
    roles,
    ...(tenantId !== undefined && { tid: tenantId }),
    ...(userId !== undefined && { sub: userId }),
    ...(sessionId !== undefined && { sid: sessionId }),
    ...(isProgram && { auth_time: 0 }),
  });
}

/** A good token of a service that acts for itself. */
export function serviceTokenFor(service: ActingService, organisationId?: string): string {
  return sharedSigner().signService({ sub: service, tid: organisationId });
}
