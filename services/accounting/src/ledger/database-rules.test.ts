import { newId } from '@marimo/contracts';
import { journalEntries } from '@marimo/contracts/accounting';
import type { Transaction } from '@marimo/postgres';
import type { ServiceUnderTest } from '@marimo/testing';
import { entry, type Organisation, organisationIn, startAccounting } from '../../test/organisation.ts';

// What the database refuses from anyone who comes with SQL: a defect in the service, a script, the owner of the tables.
let service: ServiceUnderTest;
let pine: Organisation;
let books: Books;

beforeAll(async () => {
  service = await startAccounting();
  pine = organisationIn(service);
  await pine.accounts('41', '60');
  await pine.call(journalEntries.post, { body: entry() });
  books = await booksOf(pine);
});
afterAll(() => service?.stop());

/** What one needs to know to write an organisation's books by SQL. */
interface Books {
  readonly tenantId: string;
  readonly journalId: string;
  readonly account: Readonly<Record<string, string>>;
}

async function booksOf(organisation: Organisation): Promise<Books> {
  const accounts = await organisation.rows<{ code: string; account_id: string }>('account');
  const [journal] = await organisation.rows<{ journal_id: string }>('journal');
  return {
    tenantId: organisation.tenantId,
    journalId: journal?.journal_id ?? '',
    account: Object.fromEntries(accounts.map(({ code, account_id }) => [code, account_id])),
  };
}

const asService = <T>(work: (tx: Transaction) => Promise<T>, tenantId = pine.tenantId) =>
  service.database.database.inTenant(tenantId, work);

/** As the owner of the tables, who is bound by row-level security too, in this organisation. */
const asOwner = (sql: string) =>
  service.database.sql(`begin; set local role accounting_owner;
    select set_config('app.tenant_id', '${pine.tenantId}', true); ${sql}; commit`);

const asAdministrator = (sql: string) => service.database.sql(sql);

async function insertEntry(
  tx: Transaction,
  { tenantId, journalId }: Books,
  entryId: string,
  lineCount: number,
) {
  await tx.run(
    `insert into journal_entry (tenant_id, entry_id, journal_id, fiscal_year, sequence, number, posting_date,
       description, line_count, digest, posted_by)
     values ($1, $2::uuid, $3, 2026, (select coalesce(max(sequence), 0) + 1 from journal_entry), $2::text, '2026-03-31',
       'planted', $4, sha256('planted'), $2::uuid)`,
    [tenantId, entryId, journalId, lineCount],
  );
}

interface PlantedLine {
  readonly number: number;
  readonly debit?: number;
  readonly credit?: number;
  readonly currency?: string;
  readonly base?: number;
  readonly date?: string;
}

async function insertLines(
  tx: Transaction,
  { tenantId, account }: Books,
  entryId: string,
  lines: readonly PlantedLine[],
): Promise<void> {
  const rows = lines.map(({ number, debit = 0, credit = 0, currency = 'RUB', base, date = '2026-03-31' }) => {
    const code = debit > 0 ? '41' : '60';
    const [baseDebit, baseCredit] = debit > 0 ? [base ?? debit, 0] : [0, base ?? credit];
    return `('${tenantId}', '${entryId}', ${number}, '${account[code]}', '${date}', '${currency}', ${debit}, ${credit},
      ${baseDebit}, ${baseCredit})`;
  });
  await tx.run(`insert into journal_line (tenant_id, entry_id, line_number, account_id, posting_date, currency,
    debit_minor, credit_minor, base_debit_minor, base_credit_minor) values ${rows.join(', ')}`);
}

/** Plants an entry by SQL; each group of lines is one statement. */
const plantIn = (into: Books, lineCount: number, ...statements: readonly (readonly PlantedLine[])[]) =>
  asService(async (tx) => {
    const entryId = newId();
    await insertEntry(tx, into, entryId, lineCount);
    for (const lines of statements) await insertLines(tx, into, entryId, lines);
  }, into.tenantId);
const plant = (lineCount: number, ...statements: readonly (readonly PlantedLine[])[]) =>
  plantIn(books, lineCount, ...statements);

describe('the database, asked by SQL to take an entry', () => {
  it('takes one that balances', async () => {
    await plant(2, [
      { number: 1, debit: 500 },
      { number: 2, credit: 500 },
    ]);
  });

  it('takes one of two currencies that balances in base, and an exchange difference in base alone', async () => {
    await plant(2, [
      { number: 1, debit: 10_800, currency: 'USD', base: 980_000 },
      { number: 2, credit: 10_000, currency: 'EUR', base: 980_000 },
    ]);
    await plant(3, [
      { number: 1, debit: 300, currency: 'USD', base: 27_166 },
      { number: 2, credit: 300, currency: 'USD', base: 27_165 },
      { number: 3, credit: 1 },
    ]);
  });

  it.each<[string, PlantedLine[]]>([
    [
      'debits that differ from credits',
      [
        { number: 1, debit: 500 },
        { number: 2, credit: 499 },
      ],
    ],
    [
      'two currencies that differ in base',
      [
        { number: 1, debit: 500, currency: 'USD', base: 500 },
        { number: 2, credit: 500, currency: 'EUR', base: 501 },
      ],
    ],
    [
      'one foreign currency that differs, though its base amounts agree',
      [
        { number: 1, debit: 500, currency: 'USD', base: 450 },
        { number: 2, credit: 400, currency: 'USD', base: 450 },
      ],
    ],
    [
      'base amounts that differ',
      [
        { number: 1, debit: 5, currency: 'USD', base: 450 },
        { number: 2, credit: 5, currency: 'USD', base: 449 },
      ],
    ],
    [
      'base amounts of roubles that are not those roubles',
      [
        { number: 1, debit: 500, base: 400 },
        { number: 2, credit: 500, base: 400 },
      ],
    ],
  ])('refuses %s', async (_, lines) => {
    await expect(plant(2, lines)).rejects.toMatchObject({ constraint: 'journal_entry_balances' });
  });

  it('refuses one without lines, at commit', async () => {
    await expect(plant(2)).rejects.toMatchObject({ constraint: 'journal_entry_has_its_lines' });
  });

  it('refuses one with a single line', async () => {
    await expect(plant(1, [{ number: 1, debit: 500 }])).rejects.toMatchObject({ code: '23514' });
    await expect(plant(2, [{ number: 1, debit: 500 }])).rejects.toMatchObject({
      constraint: 'journal_entry_balances',
    });
  });

  it.each<[string, number, PlantedLine[][]]>([
    [
      'fewer lines than it says',
      3,
      [
        [
          { number: 1, debit: 5 },
          { number: 3, credit: 5 },
        ],
      ],
    ],
    [
      'lines that come in two statements, each in balance',
      4,
      [
        [
          { number: 1, debit: 5 },
          { number: 2, credit: 5 },
        ],
        [
          { number: 3, debit: 5 },
          { number: 4, credit: 5 },
        ],
      ],
    ],
    [
      'more lines than it says',
      2,
      [[1, 2, 3, 4].map((number) => (number % 2 === 0 ? { number, credit: 5 } : { number, debit: 5 }))],
    ],
    [
      'lines numbered past its end',
      2,
      [
        [
          { number: 1, debit: 5 },
          { number: 3, credit: 5 },
        ],
      ],
    ],
    [
      'a line of an earlier day',
      2,
      [
        [
          { number: 1, debit: 5, date: '2026-03-30' },
          { number: 2, credit: 5 },
        ],
      ],
    ],
    [
      'a line of a later day',
      2,
      [
        [
          { number: 1, debit: 5, date: '2026-04-01' },
          { number: 2, credit: 5 },
        ],
      ],
    ],
  ])('refuses %s', async (_, lineCount, statements) => {
    await expect(plant(lineCount, ...statements)).rejects.toMatchObject({
      constraint: 'journal_entry_is_complete',
    });
  });

  it('refuses more lines for an entry that is posted, balanced or not', async () => {
    const [posted] = await pine.rows<{ entry_id: string }>('journal_entry');
    const add = (...lines: PlantedLine[]) =>
      asService((tx) => insertLines(tx, books, posted?.entry_id ?? '', lines));
    await expect(add({ number: 3, debit: 5 })).rejects.toMatchObject({
      constraint: 'journal_entry_balances',
    });
    await expect(add({ number: 3, debit: 5 }, { number: 4, credit: 5 })).rejects.toMatchObject({
      constraint: 'journal_entry_is_complete',
    });
    await expect(add({ number: 1, debit: 5 }, { number: 2, credit: 5 })).rejects.toMatchObject({
      constraint: 'journal_line_pkey',
    });
  });

  it('refuses one of an organisation whose base currency is not known yet', async () => {
    const oak = organisationIn(service);
    await oak.accounts('41', '60');
    await service.database.sql('insert into journal values ($1, $2, $3, $3)', [oak.tenantId, newId(), 'GJ']);
    const balanced = [
      { number: 1, debit: 5 },
      { number: 2, credit: 5 },
    ];
    await expect(plantIn(await booksOf(oak), 2, balanced)).rejects.toMatchObject({
      constraint: 'journal_entry_balances',
    });
  });

  it.each<[string, string, PlantedLine[]]>([
    [
      'entries',
      "create temporary table journal_entry on commit drop as select *, date '2026-03-30' as posting_date from planted",
      [
        { number: 1, debit: 5, date: '2026-03-30' },
        { number: 2, credit: 5, date: '2026-03-30' },
      ],
    ],
    [
      'base currencies',
      "create temporary table ledger_book on commit drop as select tenant_id, 'XXX' as base_currency from planted",
      [
        { number: 1, debit: 5, base: 4 },
        { number: 2, credit: 5, base: 4 },
      ],
    ],
  ])('is not misled by a temporary table of %s', async (_, sql, lines) => {
    const misled = asService(async (tx) => {
      const entryId = newId();
      await insertEntry(tx, books, entryId, 2);
      const planted = `(select '${pine.tenantId}'::uuid as tenant_id, '${entryId}'::uuid as entry_id, 2 as line_count)`;
      await tx.run(sql.replace('planted', `${planted} as planted`));
      await tx.run('set local search_path = pg_temp, accounting');
      await insertLines(tx, books, entryId, lines);
    });
    await expect(misled).rejects.toMatchObject({ code: '23514' });
  });
});

describe('a posted entry', () => {
  const attempts = [
    'update journal_line set debit_minor = debit_minor * 10 where debit_minor > 0',
    'delete from journal_line',
    "update journal_entry set posting_date = '2025-12-31'",
    'delete from journal_entry',
    'truncate journal_line, journal_entry',
  ];

  it.each(attempts)('cannot be changed by the service: %s', async (sql) => {
    await expect(asService((tx) => tx.run(sql))).rejects.toMatchObject({ code: '42501' });
  });

  it.each(attempts)('cannot be changed by the owner of the tables: %s', async (sql) => {
    await expect(asOwner(sql)).rejects.toMatchObject({ code: '23001', constraint: 'posted_is_final' });
  });

  it.each(attempts)('cannot be changed by the administrator: %s', async (sql) => {
    await expect(asAdministrator(sql)).rejects.toMatchObject({
      code: '23001',
      constraint: 'posted_is_final',
    });
  });
});

describe('kept balances', () => {
  it.each([
    'update account_month set base_debit_minor = 0',
    'delete from account_day',
    "insert into account_day select tenant_id, '2026-01-01', account_id, currency, 1, 0, 1, 0 from account_day",
  ])('cannot be written by the service: %s', async (sql) => {
    await expect(asService((tx) => tx.run(sql))).rejects.toMatchObject({ code: '42501' });
  });

  it('follow lines that come by SQL', async () => {
    const turnover = async (table: string) => {
      const rows = await pine.rows<{ base_debit_minor: bigint }>(table);
      return rows.reduce((sum, row) => sum + BigInt(row.base_debit_minor), 0n);
    };
    const before = [await turnover('account_month'), await turnover('account_day')];
    await plant(2, [
      { number: 1, debit: 700 },
      { number: 2, credit: 700 },
    ]);
    const after = [await turnover('account_month'), await turnover('account_day')];
    expect(after).toEqual(before.map((sum) => sum + 700n));
  });
});

describe('another organisation', () => {
  it('cannot take a line into an entry that is not its own', async () => {
    const [posted] = await pine.rows<{ entry_id: string }>('journal_entry');
    const oak = newId();
    const stolen = service.database.database.inTenant(oak, (tx) =>
      insertLines(tx, books, posted?.entry_id ?? '', [
        { number: 3, debit: 5 },
        { number: 4, credit: 5 },
      ]),
    );
    await expect(stolen).rejects.toMatchObject({ code: '42501' });
  });

  it('sees no row of ours', async () => {
    for (const table of [
      'account',
      'journal',
      'journal_entry',
      'journal_line',
      'account_month',
      'account_day',
    ]) {
      const seen = await service.database.database.inTenant(newId(), (tx) => tx.rows(`select from ${table}`));
      expect([table, seen.length]).toEqual([table, 0]);
    }
  });
});
