import type { Money } from '@marimo/measures';
import type { Language } from './form.ts';

/** `1 310,05` and `1,310.05`, without the currency; digits of an amount stay together. */
export function amountText(amount: Money, language: Language): string {
  const [whole = '', part] = amount.toText().split('.');
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, language === 'ru' ? '\u00a0' : ',');
  return part === undefined ? grouped : `${grouped}${language === 'ru' ? ',' : '.'}${part}`;
}

/** With the currency: `1 310,05 RUB`. */
export function moneyText(amount: Money, language: Language): string {
  return `${amountText(amount, language)}\u00a0${amount.currency}`;
}

/** Decimal text as people write it: `3,5`. */
export function decimalText(value: string, language: Language): string {
  return language === 'ru' ? value.replace('.', ',') : value;
}

/** `15 марта 2026 г.` and `15 March 2026`. */
export function dayText(day: string, language: Language): string {
  const format = new Intl.DateTimeFormat(language === 'ru' ? 'ru-RU' : 'en-GB', {
    dateStyle: 'long',
    timeZone: 'UTC',
  });
  return format.format(new Date(`${day}T00:00:00Z`));
}
