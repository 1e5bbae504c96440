import { createPrivateKey, generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

const variable = 'MARIMO_TEST_KEYS';
const ofRun = 4;
const kind = { modulusLength: 2048 };

/** Makes some RSA keys for the whole run, and for runs that its tests start: one takes longer than most tests. */
export async function makeKeysOfRun(): Promise<void> {
  if (process.env[variable] !== undefined) return;
  const generate = promisify(generateKeyPair);
  const pairs = await Promise.all(Array.from({ length: ofRun }, () => generate('rsa', kind)));
  const texts = pairs.map(({ privateKey }) => privateKey.export({ type: 'pkcs8', format: 'pem' }));
  process.env[variable] = JSON.stringify(texts);
}

let taken = 0;

/** A private key that no other call in this file of tests gets; a new one where those of the run are used up. */
export function nextPrivateKey(): KeyObject {
  const keys: string[] = JSON.parse(process.env[variable] ?? '[]');
  const key = keys[taken++];
  return key === undefined ? generateKeyPairSync('rsa', kind).privateKey : createPrivateKey(key);
}
