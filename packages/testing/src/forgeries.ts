import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { accessTokens } from '@marimo/contracts/users';
import jwt from 'jsonwebtoken';
import { nextPrivateKey } from './key-pairs.ts';
import { makeSigner, type TestSigner } from './tokens.ts';

export interface ForgedToken {
  /** What is wrong with it. */
  readonly what: string;
  forge(): string;
}

/** A kind of token, and how a good one of somebody who exists is made. */
export interface Genuine {
  readonly signer: TestSigner;
  readonly type: string;
  readonly audience: string;
  /** What is given replaces a claim or header of a good token, undefined leaves it out. */
  sign(by: TestSigner, claims?: object, header?: Record<string, unknown>): string;
  /** The claims somebody would write into a token of theirs. */
  readonly coveted: object;
}

let strangersKey: KeyObject | undefined;

/**
 * What can be wrong with a token of any kind. Most are signed with a key that is believed, so that nothing but the one
 * defect can be what refuses them.
 *
 * Source: RFC 8725 (JWT best practices), the attacks of CVE-2015-9235, CVE-2016-5431, CVE-2018-0114, CVE-2022-23540.
 */
export function forgeriesOf({
  signer,
  type,
  audience,
  sign,
  coveted,
}: Genuine): Record<string, () => string> {
  strangersKey ??= nextPrivateKey();
  const stranger = makeSigner(signer.jwk.kid, strangersKey); // the same name, another key
  const { kid } = signer.jwk;
  const good = () => sign(signer);
  const signed = (claims: object, header: Record<string, unknown> = {}) => sign(signer, claims, header);
  const now = () => Math.floor(Date.now() / 1000);
  const mac = (secret: string) => macSigned(good(), { alg: 'HS256', typ: type, kid }, secret);
  const as = (algorithm: jwt.Algorithm, key: KeyObject) =>
    signedAs(algorithm, good(), { typ: type, kid }, key);
  return {
    'no algorithm': () => unsigned({ alg: 'none', typ: type, kid }, good()),
    'no algorithm in capitals': () => unsigned({ alg: 'NONE', typ: type, kid }, good()),
    'no algorithm, and the good signature kept': () =>
      `${base64url({ alg: 'none', typ: type, kid })}.${partsOf(good()).slice(1).join('.')}`,
    'no signature': () => `${partsOf(good()).slice(0, 2).join('.')}.`,
    'HS256 with the public key as PEM': () => mac(pemOf(signer)),
    'HS256 with the public key as PEM without its last line break': () => mac(pemOf(signer).trimEnd()),
    'HS256 with the public modulus': () => mac(signer.jwk.n),
    'HS256 with an empty secret': () => mac(''),
    RS384: () => as('RS384', signer.privateKey),
    RS512: () => as('RS512', signer.privateKey),
    PS256: () => as('PS256', signer.privateKey),
    ES256: () => as('ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
    'the key of somebody else': () => sign(stranger),
    'an unknown key id': () => signed({}, { kid: 'other' }),
    'no key id': () => signed({}, { kid: undefined }),
    'a key id that is a path': () => signed({}, { kid: '../../etc/passwd' }),
    'a key id from the prototype': () => signed({}, { kid: '__proto__' }),
    'a key id that is SQL': () => signed({}, { kid: "' or 1=1 --" }),
    'its own key in the header': () => sign(stranger, {}, { jwk: stranger.jwk }),
    'an address of keys in the header': () => sign(stranger, {}, { jku: 'https://evil.example/jwks.json' }),
    'a certificate in the header': () => sign(stranger, {}, { x5c: ['MIIB'], x5u: 'https://evil.example/c' }),
    'another issuer': () => signed({ iss: 'evil' }),
    'no issuer': () => signed({ iss: undefined }),
    'another audience': () => signed({ aud: 'shop.example' }),
    'a list of audiences': () => signed({ aud: [audience, 'x'] }),
    'no audience': () => signed({ aud: undefined }),
    'another type': () => signed({}, { typ: 'JWT' }),
    'no type': () => signed({}, { typ: undefined }),
    'a refresh token in its clothes': () => signed({ use: 'refresh' }, { typ: 'rt+jwt' }),
    'an identity token in its clothes': () => signed({ nonce: 'n' }, { typ: 'JWT' }),
    'an end that has passed': () => signed({ iat: now() - 1_000, exp: now() - 1 }),
    'no end': () => signed({ exp: undefined }),
    'an end that is a text': () => unchecked(signer, type, good(), { exp: '99999999999' }),
    'a claim nobody knows': () => signed({ admin: true }),
    'changed claims': () => tampered(good(), coveted),
    'a cut end': () => good().slice(0, -10),
    'a fourth part': () => `${good()}.${'A'.repeat(20)}`,
    'a content that is no JSON': () =>
      `${base64url({ alg: accessTokens.accessToken.algorithm, typ: 'JWT', kid })}.${Buffer.from('no').toString('base64url')}.AAAA`,
    'nothing in it': () => '..',
  };
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function partsOf(token: string): [string, string, string] {
  return token.split('.') as [string, string, string];
}

function pemOf({ publicKey }: TestSigner): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

function unsigned(header: object, good: string): string {
  return `${base64url(header)}.${partsOf(good)[1]}.`;
}

/** What a verifier believes that takes the public key for a shared secret. */
function macSigned(good: string, header: object, secret: string): string {
  const signedPart = `${base64url(header)}.${partsOf(good)[1]}`;
  return `${signedPart}.${createHmac('sha256', secret).update(signedPart).digest('base64url')}`;
}

function signedAs(algorithm: jwt.Algorithm, good: string, header: object, key: KeyObject): string {
  return jwt.sign(jwt.decode(good) as object, key, { algorithm, header: { alg: algorithm, ...header } });
}

/** Claims the signing library itself would refuse to sign. */
function unchecked({ jwk, privateKey }: TestSigner, type: string, good: string, claims: object): string {
  const payload = JSON.stringify({ ...(jwt.decode(good) as object), ...claims });
  const header = { alg: accessTokens.accessToken.algorithm, typ: type, kid: jwk.kid };
  return jwt.sign(payload, privateKey, { algorithm: accessTokens.accessToken.algorithm, header });
}

function tampered(good: string, coveted: object): string {
  const [header, payload, signature] = partsOf(good);
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return `${header}.${base64url({ ...claims, ...coveted })}.${signature}`;
}
