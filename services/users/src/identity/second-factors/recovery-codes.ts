import { createHash } from 'node:crypto';
import { Secret } from 'otpauth';

const howMany = 10;
/** 80 bits: nobody guesses one, so a quick hash is enough, and no throttle can keep the owner out. */
const codeBytes = 10;

/** Ten codes as they are shown, once: `abcd-efgh-ijkl-mnop`. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: howMany }, () => {
    const text = new Secret({ size: codeBytes }).base32.toLowerCase();
    return text.match(/.{4}/g)?.join('-') ?? text;
  });
}

/** Of the code as it was shown or as a contract has read it: without dashes. */
export function recoveryCodeHash(code: string): Buffer {
  return createHash('sha256').update(code.replaceAll('-', '')).digest();
}
