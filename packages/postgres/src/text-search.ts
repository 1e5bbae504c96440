/**
 * SQL that is true where `text` contains what is searched, in any case and with е and ё as one letter: Russian is
 * written with either, and a person who searches does not know which one was typed.
 *
 * Shape: both are SQL expressions, such as `account.name` and `$5`.
 */
export function containsText(text: string, searched: string): string {
  return `position(${folded(searched)} in ${folded(text)}) > 0`;
}

const folded = (expression: string) => `translate(lower(${expression}), 'ё', 'е')`;
