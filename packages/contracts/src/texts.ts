import { z } from 'zod';

/** Scripts that join or split letters by ZWJ and ZWNJ inside a word (Unicode Standard, sections 9.2 and 12.1). */
const joining = [
  'Arab',
  'Syrc',
  'Mong',
  'Nkoo',
  'Deva',
  'Beng',
  'Guru',
  'Gujr',
  'Orya',
  'Taml',
  'Telu',
  'Knda',
]
  .concat('Mlym', 'Sinh', 'Khmr', 'Mymr', 'Tibt')
  .map((script) => `\\p{scx=${script}}`)
  .join('');
const joinsLetters = `(?<=[[${joining}]&&[\\p{L}\\p{M}]])[\\u200c\\u200d](?=[[${joining}]&&\\p{L}])`;
/** Picks one of the shapes a character has, as in Japanese names. */
const picksShape = '(?<=[\\p{scx=Hani}\\p{scx=Mong}\\p{Extended_Pictographic}])\\p{Variation_Selector}';
const visible = '[^\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]';
const lineOfVisibleText = new RegExp(`^(?:${visible}|${joinsLetters}|${picksShape})*$`, 'v');
const linesOfVisibleText = new RegExp(`^(?:${visible}|${joinsLetters}|${picksShape}|[\\n\\t])*$`, 'v');

/** One writing for texts that look alike: composed letters (NFC), and one plain space for a run of any space signs. */
export function normaliseText(text: string): string {
  return text
    .normalize('NFC')
    .replace(/\p{Zs}+/gu, ' ')
    .trim();
}

/**
 * A line that names a thing or is searched for, as people write it. Texts that look alike are one text; what cannot be
 * seen is refused: control and format characters, broken surrogates.
 *
 * Units: `longest` in UTF-16 code units of the normalised text.
 */
export function lineOfText(longest: number) {
  return z
    .string()
    .overwrite(normaliseText)
    .min(1)
    .max(longest)
    .refine((text) => lineOfVisibleText.test(text), {
      error: 'must be one line of text without control characters or invisible characters',
    });
}

/**
 * Text of several lines, such as a note: line breaks are LF, tabs stay, and what else cannot be seen is refused.
 *
 * Units: `longest` in UTF-16 code units of the normalised text.
 */
export function textOfLines(longest: number) {
  return z
    .string()
    .overwrite((text) => text.normalize('NFC').replace(/\r\n?/g, '\n').trim())
    .min(1)
    .max(longest)
    .refine((text) => linesOfVisibleText.test(text), {
      error: 'must be text without control characters or invisible characters',
    });
}

/** What people call themselves, an organisation, a key or a device. */
export const Name = lineOfText(200);
