import type { identity } from '@marimo/contracts/users';
import { html } from './html.ts';
import type { Letter } from './letter.ts';

interface Welcome {
  readonly name: string;
  readonly email: string;
  readonly organisation: string;
}

/** To the first administrator of a new organisation. */
export function welcome(language: identity.Language, given: Welcome): Letter {
  return language === 'ru' ? russian(given) : english(given);
}

function english({ name, email, organisation }: Welcome): Letter {
  return {
    subject: `Welcome to Marimo: ${organisation}`,
    text: `Hello ${name},

${organisation} is registered in Marimo ERP, and you are its administrator.
Sign in with ${email} and the password you chose.

To get started, load a chart of accounts from a template, then post an entry.

If this was not you, tell the operator of this installation.
`,
    html: html`<!doctype html>
<html lang="en">
<p>Hello ${name},</p>
<p><b>${organisation}</b> is registered in Marimo ERP, and you are its administrator.<br>
Sign in with ${email} and the password you chose.</p>
<p>To get started, load a chart of accounts from a template, then post an entry.</p>
<p>If this was not you, tell the operator of this installation.</p>
</html>
`,
  };
}

function russian({ name, email, organisation }: Welcome): Letter {
  return {
    subject: `Добро пожаловать в Marimo: ${organisation}`,
    text: `Здравствуйте, ${name}!

Организация «${organisation}» зарегистрирована в Marimo ERP, вы её администратор.
Для входа используйте ${email} и выбранный вами пароль.

С чего начать: загрузите план счетов из шаблона и проведите первую запись.

Если регистрировались не вы, сообщите тому, кто обслуживает эту систему.
`,
    html: html`<!doctype html>
<html lang="ru">
<p>Здравствуйте, ${name}!</p>
<p>Организация «<b>${organisation}</b>» зарегистрирована в Marimo ERP, вы её администратор.<br>
Для входа используйте ${email} и выбранный вами пароль.</p>
<p>С чего начать: загрузите план счетов из шаблона и проведите первую запись.</p>
<p>Если регистрировались не вы, сообщите тому, кто обслуживает эту систему.</p>
</html>
`,
  };
}
