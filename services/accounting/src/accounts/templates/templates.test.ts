import { accounts } from '@marimo/contracts/accounting';
import { planAccounts } from '../accounts.ts';
import { chartTemplates, newAccountsOf } from './index.ts';

const [russian, generic] = chartTemplates;
const russianAccount = (code: string) => russian?.accounts.find((account) => account.code === code);

describe.each(chartTemplates)('the template $template', ({ template, accounts: chart }) => {
  it('can be added as it stands, in both languages', () => {
    for (const language of ['ru', 'en'] as const) {
      const wanted = newAccountsOf(template, language).map((account) => accounts.record.draft.parse(account));
      expect(new Set(planAccounts(wanted, []).map(({ kind }) => kind))).toEqual(new Set(['accepted']));
    }
  });

  it('names every account in Russian with Cyrillic and in English with Latin letters, each once on its level', () => {
    for (const { name } of chart) {
      expect(name.ru).toMatch(/^[А-Яа-яё0-9 ,/()-]+$/);
      expect(name.en).toMatch(/^[A-Za-z0-9 ,/()-]+$/);
    }
    const names = chart.map(({ parentCode, name }) => `${parentCode} ${name.ru}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('makes a group of what has accounts below it, and of nothing else', () => {
    const parents = new Set(chart.map(({ parentCode }) => parentCode));
    for (const { code, isGroup } of chart) expect([code, isGroup]).toEqual([code, parents.has(code)]);
  });
});

// Source: order 94n, sections I to VIII: the numbers of the synthetic accounts, as amended in 2010.
const synthetic = `
  01 02 03 04 05 07 08 09 10 11 14 15 16 19 20 21 23 25 26 28 29 40 41 42 43 44 45 46 50 51 52 55 57 58 59
  60 62 63 66 67 68 69 70 71 73 75 76 77 79 80 81 82 83 84 86 90 91 94 96 97 98 99`;
const subaccounts = {
  '08': 8,
  10: 11,
  19: 3,
  41: 4,
  50: 3,
  55: 3,
  58: 4,
  69: 3,
  73: 2,
  75: 2,
  76: 4,
  79: 3,
  90: 5,
  91: 3,
  98: 4,
};

describe('the Russian plan of accounts', () => {
  it('has the synthetic accounts of the order, and no others', () => {
    const codes = russian?.accounts.filter(({ parentCode }) => parentCode === null).map(({ code }) => code);
    expect(codes).toEqual(synthetic.trim().split(/\s+/));
  });

  it('has as many subaccounts as the order lists', () => {
    const counted = Map.groupBy(russian?.accounts ?? [], ({ parentCode }) => parentCode);
    counted.delete(null);
    const counts = Object.fromEntries([...counted].map(([code, below]) => [code, below.length]));
    expect(counts).toEqual(subaccounts);
  });

  it.each([
    ['01', 'asset'],
    ['02', 'asset'], // regulates 01, so that the balance sheet shows the net value
    ['60', 'liability'],
    ['62', 'asset'],
    ['80', 'equity'],
    ['90.01', 'income'],
    ['90.02', 'expense'],
    ['90.09', 'equity'], // takes the result of the month to 99; as income it would hide the profit
    ['99', 'equity'],
  ])('counts %s as %s', (code, type) => {
    expect(russianAccount(code)?.type).toBe(type);
  });
});

describe('the generic chart', () => {
  it('has about sixty accounts under seven heads', () => {
    expect(generic?.accounts.length).toBeGreaterThan(55);
    expect(generic?.accounts.filter(({ parentCode }) => parentCode === null)).toHaveLength(7);
  });
});
