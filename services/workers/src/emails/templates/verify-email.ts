import { type identity, people } from '@marimo/contracts/users';
import { type Letter, letterOf } from './letter.ts';

/** To a mailbox that shall be proved to be somebody's: a new one, or that of a new account. */
export function verifyEmail(
  language: identity.Language,
  { name, email, url }: { readonly name: string; readonly email: string; readonly url: string },
): Letter {
  if (language === 'ru') {
    return letterOf('ru', {
      subject: 'Подтвердите адрес электронной почты',
      name,
      before: [`Чтобы подтвердить, что адрес ${email} ваш, откройте ссылку:`],
      url,
      after: [
        `Ссылка одноразовая и действует ${people.verificationLinkLastsDays} дня.`,
        'Если вы этого не просили, ничего не делайте: без вас ничего не изменится.',
      ],
    });
  }
  return letterOf('en', {
    subject: 'Confirm your e-mail address',
    name,
    before: [`To confirm that ${email} is yours, open this link:`],
    url,
    after: [
      `The link can be used once and expires in ${people.verificationLinkLastsDays} days.`,
      'If you did not request this, ignore this mail: nothing will change.',
    ],
  });
}
