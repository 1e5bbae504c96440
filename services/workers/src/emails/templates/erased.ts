import type { identity } from '@marimo/contracts/users';
import { type Letter, letterOf } from './letter.ts';

/** The last mail to somebody whose personal data were erased; it is itself erased once it was sent. */
export function erased(language: identity.Language, { name }: { readonly name: string }): Letter {
  if (language === 'ru') {
    return letterOf('ru', {
      subject: 'Ваши персональные данные удалены',
      name,
      before: [
        'Ваша учётная запись Marimo и персональные данные удалены, войти больше нельзя.',
        'В бухгалтерских записях и журнале аудита остаются действия без вашего имени и адреса: этого требует закон.',
        'Это последнее письмо на этот адрес; мы его не сохраняем.',
      ],
    });
  }
  return letterOf('en', {
    subject: 'Your personal data were erased',
    name,
    before: [
      'Your Marimo account and your personal data were erased; you can no longer sign in.',
      'Your actions stay in the books and in the audit without your name and address, as the law requires.',
      'This is the last mail to this address, and we do not keep it.',
    ],
  });
}
