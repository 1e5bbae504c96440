import { accounts } from '@marimo/contracts/accounting';
import { planAccounts } from './accounts.ts';

const wanted = (code: string, parentCode: string | null = null, name = code): accounts.NewAccount => ({
  code,
  name,
  type: 'asset',
  parentCode,
  isGroup: false,
});
const present = (code: string): accounts.Account => ({
  ...wanted(code),
  accountId: code,
  archived: false,
  version: 1,
});

const told = (drafts: accounts.NewAccount[], chart: accounts.Account[] = []) =>
  planAccounts(drafts, chart).map((outcome) =>
    outcome.kind === 'refused' ? outcome.refusal.definition.code : outcome.kind,
  );
const taken = accounts.AccountCodeTaken.definition.code;
const parentUnknown = accounts.AccountParentUnknown.definition.code;

describe('what becomes of accounts that are to be added', () => {
  it.each<[string, accounts.NewAccount[], accounts.Account[], string[]]>([
    ['children before their parents', [wanted('10.01', '10'), wanted('10')], [], ['accepted', 'accepted']],
    ['a child of an account in the chart', [wanted('10.01', '10')], [present('10')], ['accepted']],
    ['what is there just so', [wanted('10')], [present('10')], ['repeated']],
    ['what is there under another name', [wanted('10', null, 'Wood')], [present('10')], [taken]],
    ['the same twice', [wanted('10'), wanted('10')], [], ['accepted', 'repeated']],
    ['one code for two accounts', [wanted('10'), wanted('10', null, 'Wood')], [], ['accepted', taken]],
    [
      'a child of nobody, and its child',
      [wanted('1', '0'), wanted('2', '1')],
      [],
      [parentUnknown, parentUnknown],
    ],
    ['a circle', [wanted('1', '2'), wanted('2', '1')], [], [parentUnknown, parentUnknown]],
    ['an account below itself', [wanted('1', '1')], [], [parentUnknown]],
  ])('%s', (_, accounts, chart, expected) => {
    expect(told(accounts, chart)).toEqual(expected);
  });

  it('is decided at once for a chain of 100,000', () => {
    const chain = Array.from({ length: 100_000 }, (_, index) =>
      wanted(`${index}`, index === 0 ? null : `${index - 1}`),
    );
    expect(new Set(told(chain.toReversed()))).toEqual(new Set(['accepted']));
  });
});
