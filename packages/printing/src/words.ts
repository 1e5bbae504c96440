import type { Money } from '@marimo/measures';
import type { Language } from './form.ts';

/** Masculine or feminine, and the forms for one, two and five: рубль, рубля, рублей. */
interface Noun {
  readonly gender: 'm' | 'f';
  readonly forms: readonly [string, string, string];
}

interface CurrencyWords {
  readonly ru: { readonly whole: Noun; readonly part: Noun };
  readonly en: { readonly whole: readonly [string, string]; readonly part: readonly [string, string] };
}

const cent: Noun = { gender: 'm', forms: ['цент', 'цента', 'центов'] };
const kopeck: Noun = { gender: 'f', forms: ['копейка', 'копейки', 'копеек'] };
const currencies: Readonly<Record<string, CurrencyWords>> = {
  RUB: {
    ru: { whole: { gender: 'm', forms: ['рубль', 'рубля', 'рублей'] }, part: kopeck },
    en: { whole: ['rouble', 'roubles'], part: ['kopeck', 'kopecks'] },
  },
  EUR: {
    ru: { whole: { gender: 'm', forms: ['евро', 'евро', 'евро'] }, part: cent },
    en: { whole: ['euro', 'euros'], part: ['cent', 'cents'] },
  },
  USD: {
    ru: { whole: { gender: 'm', forms: ['доллар США', 'доллара США', 'долларов США'] }, part: cent },
    en: { whole: ['US dollar', 'US dollars'], part: ['cent', 'cents'] },
  },
  GBP: {
    ru: {
      whole: { gender: 'm', forms: ['фунт стерлингов', 'фунта стерлингов', 'фунтов стерлингов'] },
      part: { gender: 'm', forms: ['пенс', 'пенса', 'пенсов'] },
    },
    en: { whole: ['pound sterling', 'pounds sterling'], part: ['penny', 'pence'] },
  },
  CNY: {
    ru: {
      whole: { gender: 'm', forms: ['юань', 'юаня', 'юаней'] },
      part: { gender: 'm', forms: ['фэнь', 'фэня', 'фэней'] },
    },
    en: { whole: ['yuan', 'yuan'], part: ['fen', 'fen'] },
  },
  KZT: {
    ru: {
      whole: { gender: 'm', forms: ['тенге', 'тенге', 'тенге'] },
      part: { gender: 'm', forms: ['тиын', 'тиына', 'тиынов'] },
    },
    en: { whole: ['tenge', 'tenge'], part: ['tiyn', 'tiyns'] },
  },
  BYN: {
    ru: {
      whole: { gender: 'm', forms: ['белорусский рубль', 'белорусских рубля', 'белорусских рублей'] },
      part: kopeck,
    },
    en: { whole: ['Belarusian rouble', 'Belarusian roubles'], part: ['kopeck', 'kopecks'] },
  },
};

/**
 * An amount as it is written out on documents: `Одна тысяча двести рублей 50 копеек`, `One thousand two hundred roubles 50 kopecks`. The
 * parts of a unit stay in digits. A currency without words here keeps its code.
 */
export function amountInWords(amount: Money, language: Language): string {
  const { currency } = amount;
  const [whole = '0', part = ''] = amount.toText().replace('-', '').split('.');
  const known = currencies[currency];
  const wordsOf = language === 'ru' ? russian : english;
  const count = BigInt(whole);
  const minus = amount.isNegative() ? (language === 'ru' ? 'минус ' : 'minus ') : '';
  const gender = known?.ru.whole.gender ?? 'm';
  const unit = known === undefined ? currency : unitOf(known, 'whole', count, language);
  const parts =
    part === ''
      ? ''
      : known === undefined
        ? ` ${part}/100`
        : ` ${part} ${unitOf(known, 'part', BigInt(part), language)}`;
  const text = `${minus}${wordsOf(count, gender)} ${unit}${parts}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function unitOf(known: CurrencyWords, which: 'whole' | 'part', count: bigint, language: Language): string {
  if (language === 'ru') return formOf(known.ru[which].forms, count);
  return known.en[which][count === 1n ? 0 : 1];
}

/** 1 рубль, 21 рубль; 2 рубля; 5, 11 and 112 рублей. */
function formOf([one, few, many]: Noun['forms'], count: bigint): string {
  const [last, lastTwo] = [count % 10n, count % 100n];
  if (lastTwo >= 11n && lastTwo <= 14n) return many;
  if (last === 1n) return one;
  return last >= 2n && last <= 4n ? few : many;
}

const ones = [
  ...' один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать'.split(' '),
  ...'четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать'.split(' '),
];
const tens = [
  '',
  '',
  'двадцать',
  'тридцать',
  'сорок',
  'пятьдесят',
  'шестьдесят',
  'семьдесят',
  'восемьдесят',
  'девяносто',
];
const hundreds = ' сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот'.split(' ');
/** By threes of digits, from the right; the first is what is counted. */
const scales: readonly Noun[] = [
  { gender: 'f', forms: ['тысяча', 'тысячи', 'тысяч'] },
  { gender: 'm', forms: ['миллион', 'миллиона', 'миллионов'] },
  { gender: 'm', forms: ['миллиард', 'миллиарда', 'миллиардов'] },
  { gender: 'm', forms: ['триллион', 'триллиона', 'триллионов'] },
  { gender: 'm', forms: ['квадриллион', 'квадриллиона', 'квадриллионов'] },
];

function russian(count: bigint, gender: Noun['gender']): string {
  if (count === 0n) return 'ноль';
  const words = threesOf(count).map((three, place) => {
    const scale = scales[place - 1];
    const said = russianThree(three, scale?.gender ?? gender);
    return three === 0 || scale === undefined ? said : `${said} ${formOf(scale.forms, BigInt(three))}`;
  });
  return joined(words.toReversed());
}

function russianThree(three: number, gender: Noun['gender']): string {
  const rest = three % 100;
  const unit = rest < 20 ? rest : rest % 10;
  const inGender = (gender === 'f' ? ['', 'одна', 'две'][unit] : undefined) ?? ones[unit];
  return joined([hundreds[Math.trunc(three / 100)], rest < 20 ? '' : tens[Math.trunc(rest / 10)], inGender]);
}

const englishOnes = [
  ...' one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen'.split(' '),
  ...'sixteen seventeen eighteen nineteen'.split(' '),
];
const englishTens = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const englishScales = ['', 'thousand', 'million', 'billion', 'trillion', 'quadrillion'];

function english(count: bigint): string {
  if (count === 0n) return 'zero';
  const words = threesOf(count).map((three, place) =>
    three === 0 ? '' : joined([englishThree(three), englishScales[place]]),
  );
  return joined(words.toReversed());
}

function englishThree(three: number): string {
  const [hundred, rest] = [Math.trunc(three / 100), three % 100];
  const ten = joined([englishTens[Math.trunc(rest / 10)], englishOnes[rest % 10]]).replace(' ', '-');
  return joined([
    hundred === 0 ? '' : `${englishOnes[hundred]} hundred`,
    rest < 20 ? englishOnes[rest] : ten,
  ]);
}

/** 1 234 567 is 567, 234, 1. */
function threesOf(count: bigint): number[] {
  const threes: number[] = [];
  for (let rest = count; rest > 0n; rest /= 1_000n) threes.push(Number(rest % 1_000n));
  return threes;
}

function joined(words: readonly (string | undefined)[]): string {
  return words.filter(Boolean).join(' ');
}
