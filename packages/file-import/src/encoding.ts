export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1251';

/** Sees the bytes of a file as they pass and tells its encoding in the end. */
export interface EncodingSniffer {
  see(chunk: Buffer): void;
  encoding(): Encoding;
}

const letter = '[\\xC0-\\xFF\\xA8\\xB8]'; // of Windows-1251, Ё and ё among them
const cyrillicWords = new RegExp(`${letter}{3}`, 'g');
const mixedWords = new RegExp(`[A-Za-z]${letter}|${letter}[A-Za-z]`, 'g');

/**
 * UTF-16 by its mark or the zero bytes of a header in Latin letters. Windows-1251 where most of what is beyond ASCII is
 * not UTF-8 and stands in whole words: in the encodings of Western Europe such letters stand among ASCII ones. Else
 * UTF-8, and rows that are not are refused one by one.
 */
export function sniffEncoding(): EncodingSniffer {
  const utf8 = new TextDecoder('utf-8');
  let start = Buffer.alloc(0);
  let broken = 0;
  let sound = 0;
  let cyrillic = 0;
  let mixed = 0;
  return {
    see(chunk) {
      if (start.length < 2) start = Buffer.concat([start, chunk.subarray(0, 2)]);
      const text = utf8.decode(chunk, { stream: true });
      if (!/[^\0-\x7f]/.test(text)) return;
      const failures = text.match(/\ufffd/g)?.length ?? 0;
      broken += failures;
      sound += (text.match(/[^\0-\x7f]/g)?.length ?? 0) - failures;
      const bytes = chunk.toString('latin1');
      cyrillic += bytes.match(cyrillicWords)?.length ?? 0;
      mixed += bytes.match(mixedWords)?.length ?? 0;
    },
    encoding() {
      const [first = 1, second = 1] = start;
      if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
      if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return 'utf-16be';
      return broken > sound && cyrillic > mixed ? 'windows-1251' : 'utf-8';
    },
  };
}

/** The text of the bytes, without a byte order mark; what is not valid becomes U+FFFD. */
export async function* decoded(bytes: AsyncIterable<Buffer>, encoding: Encoding): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}
