import { createHmac, generateKeyPairSync } from 'node:crypto';
import { accessToken } from '@marimo/contracts/users';
import jwt from 'jsonwebtoken';
import { makeSigner, type TestSigner, type TokenHolder } from './tokens.ts';

export interface ForgedToken {
  /** What is wrong with it. */
  readonly what: string;
  forge(): string;
}

/**
 * Tokens nobody may believe. Most are signed with a key that is believed, so that nothing but the one defect can be
 * what refuses them. `holder` is somebody who exists, so that a token that slips through does open a door.
 *
 * Source: RFC 8725 (JWT best practices), the attacks of CVE-2015-9235, CVE-2016-5431, CVE-2018-0114, CVE-2022-23540.
 */
export function forgedTokens(signer: TestSigner, holder: TokenHolder = {}): ForgedToken[] {
  const stranger = makeSigner(signer.jwk.kid); // the same name, another key
  const who = {
    ...(holder.tenantId !== undefined && { tid: holder.tenantId }),
    ...(holder.userId !== undefined && { sub: holder.userId }),
  };
  const good = () => signer.sign(who);
  const signed = (claims: object, header: object = {}) => signer.sign({ ...who, ...claims }, { ...header });
  const { kid } = signer.jwk;
  const now = () => Math.floor(Date.now() / 1000);
  const table: Readonly<Record<string, () => string>> = {
    'no algorithm': () => unsigned({ alg: 'none', typ: accessToken.type, kid }, good()),
    'no algorithm in capitals': () => unsigned({ alg: 'NONE', typ: accessToken.type, kid }, good()),
    'no algorithm, and the good signature kept': () =>
      `${base64url({ alg: 'none', typ: accessToken.type, kid })}.${partsOf(good()).slice(1).join('.')}`,
    'no signature': () => `${partsOf(good()).slice(0, 2).join('.')}.`,
    'HS256 with the public key as PEM': () => macSigned(good(), kid, pemOf(signer)),
    'HS256 with the public key as PEM without its last line break': () =>
      macSigned(good(), kid, pemOf(signer).trimEnd()),
    'HS256 with the public modulus': () => macSigned(good(), kid, signer.jwk.n),
    'HS256 with an empty secret': () => macSigned(good(), kid, ''),
    RS384: () => signedAs('RS384', good(), kid, signer.privateKey),
    RS512: () => signedAs('RS512', good(), kid, signer.privateKey),
    PS256: () => signedAs('PS256', good(), kid, signer.privateKey),
    ES256: () =>
      signedAs('ES256', good(), kid, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
    'the key of somebody else': () => stranger.sign(who),
    'an unknown key id': () => signed({}, { kid: 'other' }),
    'no key id': () => signed({}, { kid: undefined }),
    'a key id that is a path': () => signed({}, { kid: '../../etc/passwd' }),
    'a key id from the prototype': () => signed({}, { kid: '__proto__' }),
    'a key id that is SQL': () => signed({}, { kid: "' or 1=1 --" }),
    'its own key in the header': () => stranger.sign(who, { jwk: stranger.jwk }),
    'an address of keys in the header': () => stranger.sign(who, { jku: 'https://evil.example/jwks.json' }),
    'a certificate in the header': () => stranger.sign(who, { x5c: ['MIIB'], x5u: 'https://evil.example/c' }),
    'another issuer': () => signed({ iss: 'evil' }),
    'no issuer': () => signed({ iss: undefined }),
    'another audience': () => signed({ aud: 'shop.example' }),
    'a list of audiences': () => signed({ aud: [accessToken.audience, 'x'] }),
    'no audience': () => signed({ aud: undefined }),
    'another type': () => signed({}, { typ: 'JWT' }),
    'no type': () => signed({}, { typ: undefined }),
    'a refresh token in its clothes': () => signed({ use: 'refresh' }, { typ: 'rt+jwt' }),
    'an identity token in its clothes': () => signed({ nonce: 'n' }, { typ: 'JWT' }),
    'an end that has passed': () => signed({ iat: now() - 1_000, exp: now() - 1 }),
    'no end': () => signed({ exp: undefined }),
    'an end that is a text': () => unchecked(signer, good(), { exp: '99999999999' }),
    'no tenant': () => signed({ tid: undefined }),
    'a tenant that is no id': () => signed({ tid: "' or 1=1 --" }),
    'an empty tenant': () => signed({ tid: '' }),
    'no person': () => signed({ sub: undefined }),
    'no session': () => signed({ sid: undefined }),
    'roles that are a text': () => signed({ roles: 'admin' }),
    'grants that are a text': () => signed({ grants: '*' }),
    'a proof of identity that is a text': () => signed({ auth_time: 'now' }),
    'a way of proof nobody knows': () => signed({ amr: ['god'] }),
    'a claim nobody knows': () => signed({ admin: true }),
    'changed claims': () => tampered(good()),
    'a cut end': () => good().slice(0, -10),
    'a fourth part': () => `${good()}.${'A'.repeat(20)}`,
    'nothing in it': () => '..',
  };
  return Object.entries(table).map(([what, forge]) => ({ what, forge }));
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
function macSigned(good: string, kid: string, secret: string): string {
  const signedPart = `${base64url({ alg: 'HS256', typ: accessToken.type, kid })}.${partsOf(good)[1]}`;
  return `${signedPart}.${createHmac('sha256', secret).update(signedPart).digest('base64url')}`;
}

function signedAs(
  algorithm: jwt.Algorithm,
  good: string,
  kid: string,
  key: TestSigner['privateKey'],
): string {
  const header = { alg: algorithm, typ: accessToken.type, kid };
  return jwt.sign(jwt.decode(good) as object, key, { algorithm, header });
}

/** Claims the signing library itself would refuse to sign. */
function unchecked(signer: TestSigner, good: string, claims: object): string {
  const payload = JSON.stringify({ ...(jwt.decode(good) as object), ...claims });
  const header = { alg: accessToken.algorithm, typ: accessToken.type, kid: signer.jwk.kid };
  return jwt.sign(payload, signer.privateKey, { algorithm: accessToken.algorithm, header });
}

function tampered(good: string): string {
  const [header, payload, signature] = partsOf(good);
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return `${header}.${base64url({ ...claims, roles: ['admin'], grants: ['*'] })}.${signature}`;
}
