import { Money } from '@marimo/measures';
import { amountInWords, amountText } from './index.ts';

describe('an amount in words', () => {
  it.each([
    ['0.00', 'RUB', 'Ноль рублей 00 копеек'],
    ['1.01', 'RUB', 'Один рубль 01 копейка'],
    ['2.02', 'RUB', 'Два рубля 02 копейки'],
    ['5.05', 'RUB', 'Пять рублей 05 копеек'],
    ['11.11', 'RUB', 'Одиннадцать рублей 11 копеек'],
    ['21.21', 'RUB', 'Двадцать один рубль 21 копейка'],
    ['112.14', 'RUB', 'Сто двенадцать рублей 14 копеек'],
    ['1000.00', 'RUB', 'Одна тысяча рублей 00 копеек'],
    ['2022.22', 'RUB', 'Две тысячи двадцать два рубля 22 копейки'],
    ['11011.00', 'RUB', 'Одиннадцать тысяч одиннадцать рублей 00 копеек'],
    ['1310.05', 'RUB', 'Одна тысяча триста десять рублей 05 копеек'],
    ['1001001.00', 'RUB', 'Один миллион одна тысяча один рубль 00 копеек'],
    ['2000000.00', 'RUB', 'Два миллиона рублей 00 копеек'],
    ['5000000000.00', 'RUB', 'Пять миллиардов рублей 00 копеек'],
    ['-3.00', 'RUB', 'Минус три рубля 00 копеек'],
    ['41.02', 'EUR', 'Сорок один евро 02 цента'],
    ['101.00', 'USD', 'Сто один доллар США 00 центов'],
    ['3', 'JPY', 'Три JPY'],
    ['3.50', 'CHF', 'Три CHF 50/100'],
  ])('%s %s is %s', (amount, currency, words) => {
    expect(amountInWords(Money.parse(amount, currency), 'ru')).toBe(words);
  });

  it.each([
    ['0.00', 'RUB', 'Zero roubles 00 kopecks'],
    ['1.01', 'RUB', 'One rouble 01 kopeck'],
    ['21.00', 'EUR', 'Twenty-one euros 00 cents'],
    ['113.40', 'USD', 'One hundred thirteen US dollars 40 cents'],
    ['1310.05', 'RUB', 'One thousand three hundred ten roubles 05 kopecks'],
    ['1000001.00', 'GBP', 'One million one pounds sterling 00 pence'],
    ['90000000.00', 'KZT', 'Ninety million tenge 00 tiyns'],
  ])('%s %s is %s', (amount, currency, words) => {
    expect(amountInWords(Money.parse(amount, currency), 'en')).toBe(words);
  });

  it('stands beside digits as each language groups them', () => {
    const amount = Money.parse('-1234567.50', 'RUB');
    expect(amountText(amount, 'ru')).toBe('-1\u00a0234\u00a0567,50');
    expect(amountText(amount, 'en')).toBe('-1,234,567.50');
  });
});
