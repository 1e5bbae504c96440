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
        `Ссылка одноразовая и действует ${invitations.lastsDays} дней. Действительна только последняя отправленная ссылка.`,
        'Если у вас уже есть учётная запись с этим адресом, войдите в неё. Если вы не ждали приглашения, ничего не делайте.',
      ],
    });
  }
  return letterOf('en', {
    subject: `Invitation to Marimo: ${organisation}`,
    name,
    before: [`You have been invited to join ${organisation} in Marimo ERP. To accept, open this link:`],
    url,
    after: [
      `The link can be used once and expires in ${invitations.lastsDays} days. Only the latest link works.`,
      'If you have an account with this address, sign in to it. If you did not expect this invitation, ignore this mail.',
    ],
  });
}
