import { credentials } from '@marimo/contracts/users';
import { commonPasswords } from './common-passwords.ts';
import { requireStrongPassword } from './strength.ts';

const context = { organisation: 'Pine & Co', name: 'Anna Petrova', email: 'anna.petrova@example.com' };

function reasonOf(password: string): string | null {
  try {
    requireStrongPassword(password, context);
    return null;
  } catch (thrown) {
    if (thrown instanceof credentials.PasswordTooWeak) return thrown.facts.reason;
    throw thrown;
  }
}

describe('the strength of a password', () => {
  it.each([
    'Granit7x', // eight, with all three classes
    'Gr4nit-Lampe',
    'Гранит7ю', // any script has upper and lower case
    'Ёжик5тум',
    'correct horse battery staple',
    'сорок тысяч обезьян', // 15 and more of anything
    'tisch lampe fenster',
    '石の上にも三年いると言われている',
    '🦀🌲🧊🪵🧂🪨🌋🪐🦉🌾🪁🥁🎻🧲🪤',
    '    a b c d e f g h i j k    ', // spaces count and stay
    '38201746591827364', // digits only, but no run and long
    'Zq7älomwyr',
    'Long and winding road to the sea, '.repeat(7),
  ])('accepts %j', (password) => {
    expect(reasonOf(password)).toBeNull();
  });

  it.each([
    ['', 'too-short'],
    ['Ab3defg', 'too-short'],
    ['🦀🌲🧊🪵A1b', 'too-short'], // seven characters in eleven UTF-16 units
    ['Аб3вгде', 'too-short'],
    ['granit7xyz', 'too-simple'], // no upper case
    ['GRANIT7XYZ', 'too-simple'],
    ['GranitLampe', 'too-simple'],
    ['granit lampe x', 'too-simple'], // fourteen
    ['гранит лампа ю', 'too-simple'],
    ['12345678', 'too-simple'],
    ['石の上にも三年いる', 'too-simple'],
  ])('refuses %j as %s', (password, reason) => {
    expect(reasonOf(password)).toBe(reason);
  });

  it.each([
    'Password1',
    'P@ssw0rd1',
    'Passw0rd2024!',
    'Qwerty123',
    'Qwerty12345678',
    'Qwertyui1',
    'Admin123',
    'Welcome2026',
    'Letmein1!',
    '1Q2w3e4r5t',
    '12345678Aa',
    'Aa123456',
    'Пароль123',
    'Йцукен123',
    'Ghbdtn123', // «привет» on the wrong keyboard
    'Spartak1922',
    'Natasha1985',
    'PasswordPassword1',
    'passwordpasswordpassword',
    'Abcdefgh1',
    'aaaaaaaaaaaaaaaaaaaa',
    'abcabcabcabcabcabc',
    '123456789012345',
    '098765432109876',
    'qwertyuiopasdfgh',
    'йцукенгшщзхъфывапр',
    'Iloveyou2',
    'Trustno1!',
  ])('refuses %j, a common password', (password) => {
    expect(reasonOf(password)).toBe('too-common');
  });

  it.each([
    'PineCo2026',
    'Pine&Co2026',
    'Petrova1',
    'AnnaPetrova1985',
    'Anna.Petrova1',
    'Marimo2026!',
    'MarimoERP2026',
    'MarimoPassword1',
  ])("refuses %j, made of the person's or organisation's name", (password) => {
    expect(reasonOf(password)).toBe('too-common');
  });

  it('accepts a password that contains little of those names', () => {
    expect(reasonOf('Savannah granite lamp')).toBeNull();
    expect(reasonOf('Pineapple-Kite-77')).toBeNull();
  });

  it('knows more than two thousand common words, each refused, also with the usual substitutions', () => {
    expect(commonPasswords.size).toBeGreaterThan(2_000);
    const accepted = [...commonPasswords]
      .map((word) => (/\d/.test(word) ? word : `${word.charAt(0).toUpperCase()}${word.slice(1)}2024!`))
      .filter((password) => reasonOf(password) === null);
    expect(accepted).toEqual([]);
  });

  it('counts a letter with its accent once', () => {
    const decomposed = 'Gra7nité'.normalize('NFD'); // eight letters, nine code points
    expect(reasonOf(decomposed)).toBeNull();
    expect(reasonOf('Gr7nité'.normalize('NFD'))).toBe('too-short');
  });

  it('stays fast on text made to be slow', () => {
    for (const text of ['ab'.repeat(128), `${'ab'.repeat(120)}c1Z`, `${'a1'.repeat(127)}Z!`]) reasonOf(text);
  });
});
