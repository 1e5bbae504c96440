import { MalformedRequest } from './platform/refusals.ts';

const deepest = 32;
const slash = 0x5c;
const quote = 0x22;

/** Keys that reach an object's prototype in careless code further on; no contract has a field of these names. */
const refusedKeys = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * JSON as a careful program reads it. Beyond `JSON.parse` it refuses what two programs might read differently or
 * choke on: a field given twice, prototype keys, nesting deeper than 32, and text that PostgreSQL cannot store.
 */
export function parseJson(text: string): unknown {
  inspectStructure(text); // before parsing, so that nothing deep is ever built
  try {
    return text.includes('\\u') ? JSON.parse(text, refuseUnstorable) : JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed('it is not valid JSON');
    throw error;
  }
}

/** One pass over the text. It need not be valid JSON: what is not is left for `JSON.parse` to refuse. */
function inspectStructure(text: string): void {
  const open: (Set<string> | undefined)[] = []; // for each level the keys seen, or undefined in an array
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '{' || char === '[') {
      open.push(char === '{' ? new Set() : undefined);
      if (open.length > deepest) throw malformed(`it is nested deeper than ${deepest} levels`);
    } else if (char === '}' || char === ']') {
      open.pop();
    } else if (char === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys !== undefined && isKey(text, end)) takeKey(keys, text.slice(at, end));
      at = end - 1;
    }
  }
}

/** The place after the closing quote. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === slash) at++;
    else if (code === quote) return at + 1;
  }
  return text.length;
}

function isKey(text: string, end: number): boolean {
  let at = end;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
  return text[at] === ':';
}

function takeKey(keys: Set<string>, literal: string): void {
  // An escape can spell the same key in another way.
  const key = literal.includes('\\') ? unescaped(literal) : literal.slice(1, -1);
  if (refusedKeys.has(key)) throw malformed(`a field must not be called ${key}`);
  if (keys.has(key)) throw malformed(`the field ${JSON.stringify(key.slice(0, 100))} is given twice`);
  keys.add(key);
}

function unescaped(literal: string): string {
  try {
    return JSON.parse(literal);
  } catch {
    throw malformed('it is not valid JSON');
  }
}

function refuseUnstorable(key: string, value: unknown): unknown {
  if (!isStorable(key) || (typeof value === 'string' && !isStorable(value))) {
    throw malformed('text must be well-formed Unicode without NUL characters');
  }
  return value;
}

/** PostgreSQL stores no NUL and no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

function malformed(detail: string): MalformedRequest {
  return new MalformedRequest({ errors: [{ pointer: '', detail }] });
}
