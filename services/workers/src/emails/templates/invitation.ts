import { type identity, invitations } from '@marimo/contracts/users';
import { type Letter, letterOf } from './letter.ts';

interface Invitation {
  /** The address: what the person is called nobody knows yet. */
  readonly name: string;
  readonly organisation: string;
  readonly url: string;
}

/** To who is invited to an organisation, whether they have an account or not. */
export function invitation(language: identity.Language, { name, organisation, url }: Invitation): Letter {
  if (language === 'ru') {
    return letterOf('ru', {
      subject: `Приглашение в Marimo: ${organisation}`,
      name,
      before: [
        `Вас приглашают работать в организации «${organisation}» в Marimo ERP. Чтобы принять приглашение, откройте ссылку:`,
      ],
      url,
      after: [
        `Ссылка действует ${invitations.lastsDays} дней, один раз. Работает только последняя из отправленных.`,
        'Если у вас уже есть учётная запись с этим адресом, войдите в неё. Если вы не ждали приглашения, ничего не делайте.',
      ],
    });
  }
  return letterOf('en', {
    subject: `Invitation to Marimo: ${organisation}`,
    name,
    before: [`You are invited to work in ${organisation} in Marimo ERP. To accept, open this link:`],
    url,
    after: [
      `The link works for ${invitations.lastsDays} days, once. Only the newest one that was sent works.`,
      'If you have an account with this address, sign in to it. If you expected no invitation, do nothing.',
    ],
  });
}
