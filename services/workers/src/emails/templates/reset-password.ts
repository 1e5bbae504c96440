import { type identity, people } from '@marimo/contracts/users';
import { type Letter, letterOf } from './letter.ts';

/** To who forgot a password, or of whom somebody said so. */
export function resetPassword(
  language: identity.Language,
  { name, url }: { readonly name: string; readonly url: string },
): Letter {
  if (language === 'ru') {
    return letterOf('ru', {
      subject: 'Новый пароль',
      name,
      before: ['Чтобы задать новый пароль, откройте ссылку:'],
      url,
      after: [
        `Ссылка действует ${people.resetLinkLastsMinutes} минут, один раз. Работает только последняя из отправленных.`,
        'Если вы этого не просили, ничего не делайте: прежний пароль остаётся в силе.',
      ],
    });
  }
  return letterOf('en', {
    subject: 'A new password',
    name,
    before: ['To set a new password, open this link:'],
    url,
    after: [
      `The link works for ${people.resetLinkLastsMinutes} minutes, once. Only the newest one that was sent works.`,
      'If you did not ask for this, do nothing: your password stays as it is.',
    ],
  });
}
