import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const fewestBytes = 32;
const knownWords =
  /^(secret|password|passw0rd|change-?me|admin|postgres|guest|marimo|example|default|test|your)/i;

/** Why nobody should rely on this secret, or undefined when it is good. */
export function weaknessOf(secret: string | undefined): string | undefined {
  if (secret === undefined) return 'production needs it';
  if (knownWords.test(secret)) return 'production refuses a default or an example';
  if (Buffer.byteLength(secret) < fewestBytes) return `production needs ${fewestBytes} bytes or more`;
  if (new Set(secret).size < 10) return 'production needs a random one';
  return undefined;
}

/** The same as problems of a variable, for the list of all that is wrong. */
export function weaknessesOf(variable: string, secret: string | undefined): string[] {
  const weakness = weaknessOf(secret);
  return weakness === undefined ? [] : [`${variable}: ${weakness}`];
}

/** The secret of this name under `home`; made at the first start, readable by its owner only. */
export function keptSecret(home: string, name: string): string {
  const folder = join(home, 'secrets');
  const file = join(folder, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // Several processes may start at once: the first link wins, and nobody reads a file half written.
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, randomBytes(48).toString('base64url'), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
  return readFileSync(file, 'utf8');
}
