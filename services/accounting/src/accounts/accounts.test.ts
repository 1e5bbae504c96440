import { accounts } from '@marimo/contracts/accounting';
import { type Placed, planAccounts } from './accounts.ts';

const wanted = (code: string, parentCode: string | null = null, name = code): accounts.NewAccount => ({
  code,
  name,
  type: 'asset',
  parentCode,
  isGroup: false,
});
const group = (code: string, parentCode: string | null = null): accounts.NewAccount => ({
  ...wanted(code, parentCode),
  isGroup: true,
});
const present = (account: accounts.NewAccount, archived = false): Placed => ({
  ...account,
  archived,
});

const told = (drafts: accounts.NewAccount[], chart: Placed[] = []) =>
  planAccounts(drafts, chart).map((outcome) =>
    outcome.kind === 'refused' ? outcome.refusal.definition.code : outcome.kind,
  );
const taken = accounts.AccountCodeTaken.definition.code;
const parentUnknown = accounts.AccountParentUnknown.definition.code;
const unfit = accounts.AccountParentUnfit.definition.code;
const belowItself = accounts.AccountBelowItself.definition.code;

describe('what becomes of accounts that are to be added', () => {
  it.each<[string, accounts.NewAccount[], Placed[], string[]]>([
    ['children before their parents', [wanted('10.01', '10'), group('10')], [], ['accepted', 'accepted']],
    ['a child of an account in the chart', [wanted('10.01', '10')], [present(group('10'))], ['accepted']],
    ['what is there just so', [wanted('10')], [present(wanted('10'))], ['repeated']],
    ['what is there under another name', [wanted('10', null, 'Wood')], [present(wanted('10'))], [taken]],
    ['the same twice', [wanted('10'), wanted('10')], [], ['accepted', 'repeated']],
    ['one code for two accounts', [wanted('10'), wanted('10', null, 'Wood')], [], ['accepted', taken]],
    [
      'a child of nobody, and its child',
      [wanted('1', '0'), wanted('2', '1')],
      [],
      [parentUnknown, parentUnknown],
    ],
    ['a circle', [group('1', '2'), group('2', '1')], [], [belowItself, belowItself]],
    [
      'what hangs below a circle',
      [group('3', '1'), group('1', '2'), group('2', '1')],
      [],
      [parentUnknown, belowItself, belowItself],
    ],
    ['an account below itself', [group('1', '1')], [], [belowItself]],
    ['a child of an account that is no group', [wanted('10.01', '10')], [present(wanted('10'))], [unfit]],
    ['a child of an archived group', [wanted('10.01', '10')], [present(group('10'), true)], [unfit]],
    [
      'a child of a group of another type',
      [{ ...wanted('10.01', '10'), type: 'expense' }, group('10')],
      [],
      [unfit, 'accepted'],
    ],
    [
      'the cost of sales below sales, as the law has it',
      [
        { ...wanted('90.02', '90'), type: 'expense' },
        { ...group('90'), type: 'income' },
      ],
      [],
      ['accepted', 'accepted'],
    ],
  ])('%s', (_, accounts, chart, expected) => {
    expect(told(accounts, chart)).toEqual(expected);
  });

  it('is decided at once for a chain of 100,000', () => {
    const chain = Array.from({ length: 100_000 }, (_, index) =>
      group(`${index}`, index === 0 ? null : `${index - 1}`),
    );
    expect(new Set(told(chain.toReversed()))).toEqual(new Set(['accepted']));
    expect(new Set(told([...chain.slice(1), group('0', '99999')]))).toEqual(new Set([belowItself]));
  });
});
