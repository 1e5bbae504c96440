import type { identity } from '@marimo/contracts/users';
import { type Letter, letterOf } from './letter.ts';

/** To the owner, so that a change somebody else made does not go unseen. */
export function passwordChanged(language: identity.Language, { name }: { readonly name: string }): Letter {
  if (language === 'ru') {
    return letterOf('ru', {
      subject: 'Ваш пароль изменён',
      name,
      before: [
        'Пароль вашей учётной записи Marimo изменён, остальные сеансы завершены.',
        'Если это сделали не вы, сразу задайте новый пароль по ссылке «Забыли пароль?» на странице входа и сообщите администратору.',
      ],
    });
  }
  return letterOf('en', {
    subject: 'Your password was changed',
    name,
    before: [
      'The password of your Marimo account was changed, and your other sessions were ended.',
      'If it was not you, set a new one at once with “Forgot your password?” on the sign-in page, and tell your administrator.',
    ],
  });
}
