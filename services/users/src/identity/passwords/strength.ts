import { credentials } from '@marimo/contracts/users';
import { commonPasswords } from './common-passwords.ts';

/** What somebody who guesses would try with this person: their own words and ours. */
export interface PasswordContext {
  readonly organisation: string;
  readonly name: string;
  readonly email: string;
}

const productName = 'marimo';
/** Shorter words would refuse innocent passwords that happen to hold them. */
const shortestContextWord = 3;
/** What is left of a password without its guessable parts must be more than this many letters. */
const leftoverLetters = 3;

/**
 * The rule: 15 characters or more of anything, or 8 and more with an upper-case letter, a lower-case letter and a
 * digit; and in either case not one of those that are tried first.
 *
 * Units:  characters are Unicode code points of the NFC text, so a letter with its accent counts once.
 * Errors: PasswordTooWeak with the first rule that is broken.
 * Source: docs/domain/identity.md#passwords
 */
export function requireStrongPassword(password: string, context: PasswordContext): void {
  const reason = weaknessOf(password, context);
  if (reason !== null) throw new credentials.PasswordTooWeak({ reason });
}

function weaknessOf(password: string, context: PasswordContext): credentials.PasswordProblem | null {
  const text = password.normalize('NFC');
  const characters = Array.from(text).length;
  if (characters < 8) return 'too-short';
  const mixed = /\p{Lu}/u.test(text) && /\p{Ll}/u.test(text) && /\p{Nd}/u.test(text);
  if (characters < 15 && !mixed) return 'too-simple';
  return isCommon(text) || isMadeOf(text, context) ? 'too-common' : null;
}

function isCommon(text: string): boolean {
  return formsOf(text).some((form) => commonPasswords.has(form) || isMonotonous(form));
}

/** What may hide in a password: itself, without its disguise, without digits and signs around, said once only. */
function formsOf(text: string): string[] {
  const plain = text.normalize('NFKC').toLowerCase();
  return [plain, withoutDisguise(plain)].flatMap((form) => [form, core(form), oncePerPart(core(form))]);
}

function isMadeOf(text: string, { organisation, name, email }: PasswordContext): boolean {
  const plain = text.normalize('NFKC').toLowerCase();
  const words = [organisation, name, email.slice(0, email.lastIndexOf('@')), productName].flatMap(wordsOf);
  // Longest first: "pine" must not break up "pineapple".
  const longestFirst = [...new Set(words)].sort((a, b) => b.length - a.length);
  return [plain, withoutDisguise(plain)].some((form) => {
    const rest = longestFirst.reduce((left, word) => left.replaceAll(word, ' '), form);
    if (rest === form) return false;
    const letters = rest.replaceAll(/[^\p{L}]/gu, '');
    return letters.length <= leftoverLetters || commonPasswords.has(letters);
  });
}

function wordsOf(text: string): string[] {
  const plain = text.normalize('NFKC').toLowerCase();
  const parts = plain.split(/[^\p{L}\p{N}]+/u);
  return [...parts, parts.join('')].filter((word) => word.length >= shortestContextWord);
}

/** "password", whatever digits and signs are put around it. */
function core(text: string): string {
  return text.replaceAll(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
}

/** "qwerty" of "qwertyqwerty". */
function oncePerPart(text: string): string {
  return /^(.{2,}?)\1+$/su.exec(text)?.[1] ?? text;
}

/** Shorter runs happen by chance. */
const shortestRun = 5;

/** One short piece over and over, or neighbours in the alphabet, among the digits or on the keyboard. */
function isMonotonous(text: string): boolean {
  if (text.length < shortestRun) return false;
  return /^(.{1,4}?)\1+.{0,3}$/su.test(text) || runs.some((run) => run.includes(text));
}

const runs = [
  '1234567890qwertyuiopasdfghjklzxcvbnm',
  '1234567890йцукенгшщзхъфывапролджэячсмитьбю',
  'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz',
  'абвгдеёжзийклмнопрстуфхцчшщъыьэюя',
  '1234567890'.repeat(4),
].flatMap((run) => [run, Array.from(run).reverse().join('')]);

const disguises: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/** "p@ssw0rd" is "password"; signs at the end stay, they are cut off by `core`. */
function withoutDisguise(text: string): string {
  const end = text.search(/[^\p{L}]*$/u);
  return text.slice(0, end).replaceAll(/[0134575@$!]/g, (sign) => disguises[sign] ?? sign) + text.slice(end);
}
