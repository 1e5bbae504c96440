import type { identity } from '@marimo/contracts/users';
import { type Letter, letterOf } from './letter.ts';

interface LetterFacts {
  readonly name: string;
  readonly organisation: string;
}

/** To each administrator, so that nobody's organisation closes behind their back. */
export function organisationClosing(
  language: identity.Language,
  { name, organisation, closesOn }: LetterFacts & { readonly closesOn: string },
): Letter {
  const day = dayIn(language, closesOn);
  if (language === 'ru') {
    return letterOf('ru', {
      subject: `Организация закрывается ${day}: ${organisation}`,
      name,
      before: [
        `Администратор закрывает организацию «${organisation}» в Marimo. Работа в ней остановлена.`,
        `${day} она закроется окончательно, и вернуть её будет нельзя. До этого дня любой администратор может отменить закрытие в настройках организации.`,
        'Если вы об этом не знали, спросите других администраторов.',
      ],
    });
  }
  return letterOf('en', {
    subject: `Your organisation closes on ${day}: ${organisation}`,
    name,
    before: [
      `An administrator is closing ${organisation} in Marimo. All work there has stopped.`,
      `On ${day} it closes permanently and cannot be restored. Until then any administrator can cancel this in the settings of the organisation.`,
      'If you did not know about this, contact the other administrators.',
    ],
  });
}

export function organisationReopened(
  language: identity.Language,
  { name, organisation }: LetterFacts,
): Letter {
  if (language === 'ru') {
    return letterOf('ru', {
      subject: `Организация не закрывается: ${organisation}`,
      name,
      before: [
        `Администратор отменил закрытие организации «${organisation}» в Marimo. В ней снова можно работать.`,
      ],
    });
  }
  return letterOf('en', {
    subject: `Your organisation stays open: ${organisation}`,
    name,
    before: [
      `An administrator has cancelled the closing of ${organisation} in Marimo. All members can work there again.`,
    ],
  });
}

/** A day has no zone: it is written as it stands. */
function dayIn(language: identity.Language, day: string): string {
  return new Intl.DateTimeFormat(language === 'ru' ? 'ru' : 'en-GB', {
    dateStyle: 'long',
    timeZone: 'UTC',
  }).format(new Date(day));
}
