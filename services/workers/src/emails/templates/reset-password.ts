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
        `Ссылка одноразовая и действует ${people.resetLinkLastsMinutes} минут. Действительна только последняя отправленная ссылка.`,
        'Если вы этого не просили, ничего не делайте: прежний пароль остаётся в силе.',
      ],
    });
  }
  return letterOf('en', {
    subject: 'Reset your password',
    name,
    before: ['To set a new password, open this link:'],
    url,
    after: [
      `The link can be used once and expires in ${people.resetLinkLastsMinutes} minutes. Only the latest link works.`,
      'If you did not request this, ignore this mail: your password is not changed.',
    ],
  });
}
