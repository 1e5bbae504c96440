import type { accounts } from '@marimo/contracts/accounting';
import { genericChart } from './generic.ts';
import { russianChart } from './ru.ts';

const russian: accounts.ChartTemplate = {
  template: 'ru',
  name: { en: 'Russian plan of accounts', ru: 'План счетов бухгалтерского учета' },
  source: 'Приказ Минфина РФ от 31.10.2000 № 94н (в ред. от 08.11.2010)',
  accounts: accountsIn(russianChart),
};

const generic: accounts.ChartTemplate = {
  template: 'generic',
  name: { en: 'General chart of accounts', ru: 'Общий план счетов' },
  source: 'Marimo ERP',
  accounts: accountsIn(genericChart),
};

export const chartTemplates: accounts.ChartTemplate[] = [russian, generic];

/** The accounts of a template, named in one language: unless told, that of the template's country. */
export function newAccountsOf(
  template: accounts.ChartTemplateName,
  language?: 'en' | 'ru',
): accounts.NewAccount[] {
  const { accounts: chart } = template === 'ru' ? russian : generic;
  const spoken = language ?? (template === 'ru' ? 'ru' : 'en');
  return chart.map(({ name, ...account }) => ({ ...account, name: name[spoken] }));
}

/** Whether a template has this account, of this type and at this place. */
export function isInTemplate(account: Pick<accounts.Account, 'code' | 'type' | 'parentCode'>): boolean {
  return places.has(placeOf(account));
}

const placeOf = ({ code, type, parentCode }: Pick<accounts.Account, 'code' | 'type' | 'parentCode'>) =>
  JSON.stringify([code, type, parentCode]);
const places = new Set([russian, generic].flatMap(({ accounts }) => accounts.map(placeOf)));

type TemplateAccount = accounts.ChartTemplate['accounts'][number];

/** Each line is `code type Russian name | English name`; deeper lines stand below the one before, which is a group. */
function accountsIn(text: string): TemplateAccount[] {
  const lines = text.split('\n').filter((line) => line !== '');
  const above: string[] = [];
  return lines.map((line, index) => {
    const [, indent = '', code = '', type = '', ru = '', en = ''] =
      /^( *)(\S+) (\S+) (.+) \| (.+)$/.exec(line) ?? [];
    const depth = indent.length / 2;
    above.splice(depth, Infinity, code);
    const isGroup = lines[index + 1]?.startsWith(`${indent}  `) ?? false;
    return {
      code,
      name: { en, ru },
      type: type as accounts.Account['type'],
      parentCode: above[depth - 1] ?? null,
      isGroup,
    };
  });
}
