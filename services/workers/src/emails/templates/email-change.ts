import type { identity } from '@marimo/contracts/users';
import { type Letter, letterOf } from './letter.ts';

/** To the old address, while its owner can still do something. The new one is not named: this mailbox may be lost. */
export function emailChange(language: identity.Language, { name }: { readonly name: string }): Letter {
  if (language === 'ru') {
    return letterOf('ru', {
      subject: 'Запрошена смена адреса электронной почты',
      name,
      before: [
        'Для вашей учётной записи Marimo запрошена смена адреса. Она вступит в силу, когда будет открыта ссылка, отправленная на новый адрес.',
        'Если это сделали не вы, сразу смените пароль и сообщите администратору.',
      ],
    });
  }
  return letterOf('en', {
    subject: 'A change of your e-mail address was requested',
    name,
    before: [
      'A change of the e-mail address of your Marimo account was requested. It takes effect when the link sent to the new address is opened.',
      'If it was not you, change your password at once and tell your administrator.',
    ],
  });
}
