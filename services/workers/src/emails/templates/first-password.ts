import type { identity } from '@marimo/contracts/users';
import { type Letter, letterOf } from './letter.ts';

/** To who had an account without a password and accepted an invitation with it. */
export function firstPassword(
  language: identity.Language,
  { name, organisation }: { readonly name: string; readonly organisation: string },
): Letter {
  if (language === 'ru') {
    return letterOf('ru', {
      subject: 'У вашей учётной записи теперь есть пароль',
      name,
      before: [
        `Вы приняли приглашение в организацию «${organisation}» и задали пароль своей учётной записи Marimo. Раньше вы входили через систему входа другой организации, поэтому вторые факторы, добавленные тогда, удалены. Добавьте свои в настройках.`,
        'Если это сделали не вы, сразу задайте новый пароль по ссылке «Забыли пароль?» на странице входа и проверьте, кто ещё читает вашу почту.',
      ],
    });
  }
  return letterOf('en', {
    subject: 'Your account now has a password',
    name,
    before: [
      `You accepted the invitation to ${organisation} and set a password for your Marimo account. You previously signed in with the provider of another organisation, so second factors added then were removed. Add your own in the settings.`,
      'If it was not you, set a new one at once with “Forgot your password?” on the sign-in page, and check who else has access to your mailbox.',
    ],
  });
}
