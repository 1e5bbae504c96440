import { domainToASCII } from 'node:url';

/**
 * The same for every way of writing one mailbox: NFC and lower case, with the domain in the ASCII form of UTS 46, so that
 * `bücher.example` and `xn--bcher-kva.example` are one. The part before the `@` stays as it is written otherwise.
 */
export function emailKey(email: string): string {
  const written = email.normalize('NFC').toLowerCase();
  const domainAt = written.lastIndexOf('@') + 1;
  const domain = written.slice(domainAt);
  // Empty for what is no domain: then the text itself is all there is.
  return written.slice(0, domainAt) + (isAscii(domain) ? domain : domainToASCII(domain) || domain);
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}
