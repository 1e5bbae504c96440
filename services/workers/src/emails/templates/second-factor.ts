import type { identity } from '@marimo/contracts/users';
import { type Letter, letterOf } from './letter.ts';

interface News {
  readonly subject: string;
  readonly what: string;
}

type Write = (language: identity.Language, given: { readonly name: string }) => Letter;

/** To the owner, so that a change somebody else made does not go unseen. */
export const secondFactorAdded = securityLetter({
  en: {
    subject: 'A second factor was added',
    what: 'An authenticator app or a passkey was added to your Marimo account.',
  },
  ru: {
    subject: 'Добавлен второй фактор входа',
    what: 'К вашей учётной записи Marimo добавлено приложение с кодами или ключ доступа.',
  },
});

export const secondFactorRemoved = securityLetter({
  en: {
    subject: 'A second factor was removed',
    what: 'An authenticator app or a passkey was removed from your Marimo account.',
  },
  ru: {
    subject: 'Удалён второй фактор входа',
    what: 'Из вашей учётной записи Marimo удалено приложение с кодами или ключ доступа.',
  },
});

export const secondFactorsReset = securityLetter({
  en: {
    subject: 'Your second factors were reset',
    what: 'An administrator removed all second factors of your Marimo account and ended your sessions. Sign in with your password and add one again.',
  },
  ru: {
    subject: 'Ваш второй фактор входа сброшен',
    what: 'Администратор удалил все вторые факторы вашей учётной записи Marimo и завершил ваши сеансы. Войдите с паролем и добавьте новый.',
  },
});

export const recoveryCodeUsed = securityLetter({
  en: {
    subject: 'A recovery code was used',
    what: 'One of your recovery codes was used as the second factor of your Marimo account. It cannot be used again.',
  },
  ru: {
    subject: 'Использован резервный код',
    what: 'Вместо второго фактора вашей учётной записи Marimo использован резервный код. Больше он не действует.',
  },
});

const advice: Readonly<Record<identity.Language, string>> = {
  en: 'If it was not you, change your password at once and tell your administrator.',
  ru: 'Если это были не вы, сразу смените пароль и сообщите администратору.',
};

function securityLetter(news: Readonly<Record<identity.Language, News>>): Write {
  return (language, { name }) => {
    const { subject, what } = news[language];
    return letterOf(language, { subject, name, before: [what, advice[language]] });
  };
}
