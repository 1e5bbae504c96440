import { welcome } from './welcome.ts';

const given = { name: 'Анна', email: 'anna@example.com', organisation: 'Сосна' };

describe('the welcome mail', () => {
  it.each([
    ['ru', 'Добро пожаловать в Marimo: Сосна', 'Здравствуйте, Анна!'],
    ['en', 'Welcome to Marimo: Сосна', 'Hello Анна,'],
  ] as const)('speaks %s to who reads it', (language, subject, greeting) => {
    const letter = welcome(language, given);
    expect(letter.subject).toBe(subject);
    for (const body of [letter.text, letter.html]) {
      expect(body).toContain(greeting);
      expect(body).toContain('anna@example.com');
    }
  });

  it.each(['ru', 'en'] as const)('lets no name become markup in %s', (language) => {
    const { html, text } = welcome(language, {
      ...given,
      name: `<b>"O'Neil"</b>`,
      organisation: 'Pine & <script>',
    });
    expect(html).toContain('&lt;b&gt;&quot;O&#39;Neil&quot;&lt;/b&gt;');
    expect(html).not.toMatch(/<script>|<b>"/);
    expect(text).toContain('Pine & <script>');
  });
});
