import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { secondFactors } from '@marimo/contracts/users';

/** How a device and its browser would have to lie; nothing of it is a lie unless told. */
export interface Lie {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  readonly userHandle?: string | null;
  /** Whether it makes sure that somebody is there, and who. */
  readonly present?: boolean;
  readonly verified?: boolean;
  readonly counter?: number;
  /** Attests by its own key, and adds a certificate to that. */
  readonly attests?: 'itself' | 'with a certificate';
  /** Signs instead of its own key. */
  readonly key?: KeyObject;
}

export interface SoftwareAuthenticator {
  readonly credentialId: string;
  create(options: secondFactors.PasskeyCreationOptions, lie?: Lie): secondFactors.PasskeyCreated;
  sign(options: secondFactors.PasskeyRequestOptions, lie?: Lie): secondFactors.PasskeyAssertion;
}

const origin = 'http://localhost:8080';
const flag = { present: 0x01, verified: 0x04, keyIncluded: 0x40 };

/** A device with one ES256 key, as WebAuthn describes it. One that does not count says 0 for ever. */
export function softwareAuthenticator({ counts = true } = {}): SoftwareAuthenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = randomBytes(16);
  const credentialId = id.toString('base64url');
  let signatures = 0;
  let owner = '';

  function authenticatorData(rpId: string, { present = true, verified = true, counter }: Lie, key?: Buffer) {
    signatures += counts ? 1 : 0;
    const head = Buffer.alloc(37);
    createHash('sha256').update(rpId).digest().copy(head);
    head[32] =
      (present ? flag.present : 0) |
      (verified ? flag.verified : 0) |
      (key === undefined ? 0 : flag.keyIncluded);
    head.writeUInt32BE(counter ?? signatures, 33);
    return key === undefined ? head : Buffer.concat([head, key]);
  }

  return {
    credentialId,
    create(options, lie = {}) {
      owner = options.user.id;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const key = Buffer.concat([Buffer.alloc(16), length, id, coseKey(publicKey)]);
      const authData = authenticatorData(lie.rpId ?? options.rp.id, lie, key);
      const clientDataJSON = clientData('webauthn.create', options.challenge, lie);
      const signature = sign('sha256', signedOver(authData, clientDataJSON), privateKey);
      const attestation = cborMap([
        ['fmt', cborText(lie.attests === undefined ? 'none' : 'packed')],
        ['attStmt', cborMap(statement(signature, lie))],
        ['authData', cborBytes(authData)],
      ]);
      return {
        id: credentialId,
        rawId: credentialId,
        type: 'public-key',
        response: {
          clientDataJSON: clientDataJSON.toString('base64url'),
          attestationObject: attestation.toString('base64url'),
          transports: ['internal'],
        },
      };
    },
    sign(options, lie = {}) {
      const clientDataJSON = clientData('webauthn.get', options.challenge, lie);
      const data = authenticatorData(lie.rpId ?? options.rpId, lie);
      const signed = signedOver(data, clientDataJSON);
      const userHandle = lie.userHandle === undefined ? owner : lie.userHandle;
      return {
        id: credentialId,
        rawId: credentialId,
        type: 'public-key',
        response: {
          clientDataJSON: clientDataJSON.toString('base64url'),
          authenticatorData: data.toString('base64url'),
          signature: sign('sha256', signed, lie.key ?? privateKey).toString('base64url'),
          ...(userHandle !== null && { userHandle }),
        },
      };
    },
  };
}

function signedOver(data: Buffer, clientDataJSON: Buffer): Buffer {
  return Buffer.concat([data, createHash('sha256').update(clientDataJSON).digest()]);
}

/** WebAuthn, section 8.2: packed attestation. */
function statement(signature: Buffer, { attests }: Lie): (readonly [string, Buffer])[] {
  if (attests === undefined) return [];
  const bySelf = [['alg', cborInt(-7)] as const, ['sig', cborBytes(signature)] as const];
  if (attests === 'itself') return bySelf;
  const certificates = Buffer.concat([cborHead(4, 1), cborBytes(Buffer.from('a certificate'))]);
  return [...bySelf, ['x5c', certificates] as const];
}

function clientData(type: string, challenge: string, lie: Lie): Buffer {
  const said = { type, challenge, origin, crossOrigin: false };
  const { type: otherType = said.type, challenge: other = said.challenge } = lie;
  const { origin: from = said.origin, crossOrigin = said.crossOrigin } = lie;
  return Buffer.from(JSON.stringify({ type: otherType, challenge: other, origin: from, crossOrigin }));
}

/** RFC 9053, section 7.1.1: an elliptic curve key on P-256, for ES256. */
function coseKey(publicKey: KeyObject): Buffer {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return cborMap([
    [1, cborInt(2)],
    [3, cborInt(-7)],
    [-1, cborInt(1)],
    [-2, cborBytes(Buffer.from(x, 'base64url'))],
    [-3, cborBytes(Buffer.from(y, 'base64url'))],
  ]);
}

// As much of CBOR (RFC 8949) as a device needs.
function cborHead(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 256) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 0xff]);
}

function cborInt(value: number): Buffer {
  return value >= 0 ? cborHead(0, value) : cborHead(1, -1 - value);
}

function cborBytes(bytes: Buffer): Buffer {
  return Buffer.concat([cborHead(2, bytes.length), bytes]);
}

function cborText(text: string): Buffer {
  return Buffer.concat([cborHead(3, Buffer.byteLength(text)), Buffer.from(text)]);
}

function cborMap(entries: readonly (readonly [string | number, Buffer])[]): Buffer {
  const pairs = entries.flatMap(([key, value]) => [
    typeof key === 'string' ? cborText(key) : cborInt(key),
    value,
  ]);
  return Buffer.concat([cborHead(5, entries.length), ...pairs]);
}
