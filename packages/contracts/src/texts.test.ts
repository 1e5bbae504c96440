import { lineOfText, Name } from './texts.ts';

describe('a name', () => {
  it.each([
    ['a composed letter for a letter and its accent', 'Cafe\u0301', 'Café'],
    ['a Hangul syllable for its parts', '\u1112\u1161\u11ab', '\ud55c'],
    ['one plain space for no-break, narrow and wide spaces', 'Ivan\u00a0\u202f\u3000  Petrov', 'Ivan Petrov'],
    ['no spaces around it', '\u00a0\t Ivan \u3000', 'Ivan'],
    ['upper and lower case as they were typed', 'Café de Paris', 'Café de Paris'],
    ['the non-joiner of a Persian word', 'می\u200cخواهم', 'می\u200cخواهم'],
    ['the joiner of a Sinhala word', 'ශ්\u200dරී', 'ශ්\u200dරී'],
    ['the variant of a Japanese character', '葛\u{e0100}城', '葛\u{e0100}城'],
    ['a heart in colour', '❤\ufe0f', '❤\ufe0f'],
  ])('keeps %s', (_, typed, kept) => {
    expect(Name.parse(typed)).toBe(kept);
  });

  it.each([
    ['a zero width space', '77\u200b'],
    ['a joiner between digits', '7\u200d7'],
    ['a joiner between Latin letters', 'Ca\u200dfé'],
    ['a non-joiner after the last letter', 'می\u200c'],
    ['a soft hyphen', 'Ca\u00adfé'],
    ['a byte order mark inside', '7\ufeff7'],
    ['a mark that turns the direction of writing', '77\u202e'],
    ['a variation selector after a digit', '7\ufe0f'],
    ['a combining grapheme joiner', '7\u034f7'],
    ['a Hangul filler', '7\u3164'],
    ['a line break', 'a\nb'],
    ['a line separator', 'a\u2028b'],
    ['a tab', 'a\tb'],
    ['a NUL', 'a\u0000b'],
    ['half a surrogate pair', 'a\ud800b'],
    ['nothing but spaces', ' \u00a0\u3000'],
    ['nothing', ''],
  ])('is refused with %s', (_, typed) => {
    expect(Name.safeParse(typed).success).toBe(false);
  });

  it('is measured as it is kept', () => {
    expect(lineOfText(4).parse('Cafe\u0301')).toBe('Café');
    expect(lineOfText(4).safeParse('Café\u00a0\u00a0x').success).toBe(false);
  });
});
