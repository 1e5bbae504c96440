/** What every API key begins with, so that people and scanners for leaked secrets know one when they see it. */
const mark = 'mk_';
const bodyLength = 72; // base64url of 54 bytes
const wellFormed = /^mk_[\w-]{72}[0-9a-f]{8}$/;
const shownLength = mark.length + 8;

/**
 * Whether a text can be an API key: `mk_`, 72 characters of base64url, and the CRC-32 of these in hexadecimal. A
 * mistyped or cut key is told by this alone, and so is a text in somebody's repository that only looks like one.
 */
export function isApiKey(text: string): boolean {
  return wellFormed.test(text) && withChecksum(text.slice(0, mark.length + bodyLength)) === text;
}

/** Whether somebody means it to be one: then it is no access token, right or wrong. */
export function looksLikeApiKey(text: string): boolean {
  return text.startsWith(mark);
}

/** An API key of 54 bytes in base64url. */
export function apiKeyOf(body: string): string {
  return withChecksum(mark + body);
}

/** The part a key is recognised by in lists: random, but no part of its secret. */
export function prefixOfApiKey(key: string): string {
  return key.slice(0, shownLength);
}

export function bodyOfApiKey(key: string): string {
  return key.slice(mark.length, mark.length + bodyLength);
}

function withChecksum(text: string): string {
  return text + crc32(text).toString(16).padStart(8, '0');
}

/** CRC-32 as in ISO-HDLC, of ASCII text; written out because contracts run in a browser too. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let at = 0; at < text.length; at++) {
    crc ^= text.charCodeAt(at);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
