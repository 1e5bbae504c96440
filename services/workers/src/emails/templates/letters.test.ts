import type { identity } from '@marimo/contracts/users';
import { emailChange } from './email-change.ts';
import { erased } from './erased.ts';
import { firstPassword } from './first-password.ts';
import type { Letter } from './letter.ts';
import { organisationClosing, organisationReopened } from './organisation-closing.ts';
import { passwordChanged } from './password-changed.ts';
import { resetPassword } from './reset-password.ts';
import * as secondFactor from './second-factor.ts';
import { verifyEmail } from './verify-email.ts';

type Write = (
  language: identity.Language,
  given: { name: string; email: string; url: string; organisation: string; closesOn: string },
) => Letter;

const of = { organisation: 'Pine', closesOn: '2026-12-31' };
const url = 'https://erp.example.com/#/reset-password/abc-_123';
const letters: readonly [string, Write, boolean][] = [
  ['verify-email', verifyEmail, true],
  ['reset-password', resetPassword, true],
  ['password-changed', passwordChanged, false],
  ['first-password', firstPassword, false],
  ['email-change', emailChange, false],
  ['erased', erased, false],
  ['second-factor added', secondFactor.secondFactorAdded, false],
  ['second-factor removed', secondFactor.secondFactorRemoved, false],
  ['second-factor reset', secondFactor.secondFactorsReset, false],
  ['second-factor stood in for', secondFactor.recoveryCodeUsed, false],
  ['organisation closing', organisationClosing, false],
  ['organisation reopened', organisationReopened, false],
];

describe.each(letters)('the letter %s', (_, write, leads) => {
  it.each([
    ['ru', 'Здравствуйте, Анна!'],
    ['en', 'Hello Анна,'],
  ] as const)('speaks %s, the same as text and as HTML', (language, greeting) => {
    const { subject, text, html } = write(language, { name: 'Анна', email: 'anna@example.com', url, ...of });
    expect(/[а-я]/i.test(subject)).toBe(language === 'ru');
    expect(text.startsWith(greeting)).toBe(true);
    const told = [...html.matchAll(/<p>(.*?)<\/p>/g)].map(([, inner = '']) => inner.replaceAll(/<.*?>/g, ''));
    expect(told).toEqual(text.trim().split('\n\n'));
    expect(html).toContain(`<html lang="${language}">`);
  });

  it('leads where it should and nowhere else', () => {
    const { text, html } = write('en', { name: 'Anna', email: 'anna@example.com', url, ...of });
    const addresses = (of: string) => of.match(/https?:[^\s"<]+/g) ?? [];
    expect(addresses(text)).toEqual(leads ? [url] : []);
    expect(new Set(addresses(html))).toEqual(new Set(leads ? [url] : []));
  });

  it('lets no name become markup', () => {
    const { html } = write('en', {
      name: `<script>"O'Neil"</script>`,
      email: 'a&b@example.com',
      url,
      ...of,
      organisation: '<b>',
    });
    expect(html).not.toMatch(/<script>|<b>/);
    expect(html).toContain('&lt;script&gt;');
  });
});

it.each([
  ['ru', '31 декабря 2026'],
  ['en', '31 December 2026'],
] as const)('tells in %s the day on which an organisation closes', (language, day) => {
  const { subject, text } = organisationClosing(language, { name: 'Anna', ...of });
  expect(subject).toContain(day);
  expect(text).toContain(day);
});
