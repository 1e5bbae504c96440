import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface TestPair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate for localhost that signs itself, made anew so that no private key lies in the repository. */
export function testCertificate({ from = '20200101', until = '21200101', rsa = false } = {}): TestPair {
  const { privateKey, publicKey } = rsa
    ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = rsa ? sha256WithRsa : ecdsaWithSha256;
  const body = sequence(
    tagged(0xa0, integer(Buffer.of(2))), // version 3
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    named('localhost'),
    sequence(time(from), time(until)),
    named('localhost'),
    publicKey.export({ format: 'der', type: 'spki' }),
    tagged(
      0xa3,
      sequence(sequence(subjectAltName, tagged(0x04, sequence(tagged(0x82, Buffer.from('localhost')))))),
    ),
  );
  const signature = sign('sha256', body, privateKey);
  const certificate = sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.of(0), signature])));
  const lines = certificate.toString('base64').replaceAll(/.{64}/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  };
}

// The few parts of DER (ITU-T X.690) a certificate needs (RFC 5280 section 4.1).
function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const lengthBytes =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...lengthBytes), content]);
}
const sequence = (...parts: Buffer[]) => tagged(0x30, ...parts);
const integer = (bytes: Buffer) => tagged(0x02, bytes);
const identifier = (hex: string) => tagged(0x06, Buffer.from(hex, 'hex'));
const time = (day: string) => tagged(0x18, Buffer.from(`${day}000000Z`));
const named = (name: string) =>
  sequence(tagged(0x31, sequence(identifier('550403'), tagged(0x0c, Buffer.from(name)))));
const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'));
const sha256WithRsa = sequence(identifier('2a864886f70d01010b'), tagged(0x05));
const subjectAltName = identifier('551d11');
