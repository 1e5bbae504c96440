import { invitation } from './invitation.ts';

const given = {
  name: 'nina@example.com',
  organisation: 'Pine & <b>Oak</b>',
  url: 'http://localhost:8080/#/invitation/abc',
};

describe('the invitation mail', () => {
  it.each([
    ['ru', 'Приглашение в Marimo: Pine & <b>Oak</b>', 'одноразовая'],
    ['en', 'Invitation to Marimo: Pine & <b>Oak</b>', 'once'],
  ] as const)('says in %s who invites and how long the link works', (language, subject, once) => {
    const letter = invitation(language, given);
    expect(letter.subject).toBe(subject);
    for (const body of [letter.text, letter.html]) {
      expect(body).toContain(given.url);
      expect(body).toContain(once);
      expect(body).toContain('7');
    }
    expect(letter.html).toContain('Pine &amp; &lt;b&gt;Oak&lt;/b&gt;');
    expect(letter.html).not.toContain('<b>Oak');
  });
});
