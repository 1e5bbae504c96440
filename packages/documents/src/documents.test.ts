import {
  Absent,
  FieldFixed,
  Forbidden,
  newId,
  ReferenceUnknown,
  ReversalBeforeOriginal,
  Stale,
  StateUnfit,
  TotalsOutOfDate,
} from '@marimo/contracts';
import { Money } from '@marimo/measures';
import type { Author } from '@marimo/records';
import { tokenFor, useService } from '@marimo/testing';
import { rentalInvoices as invoices, shelves, toolService } from '@marimo/testing/records';
import { documentsOf } from './index.ts';

const service = useService(toolService);

/** An organisation of its own for each test. */
let tenantId: string;
let as: string;
beforeEach(() => {
  tenantId = newId();
  as = tokenFor({ tenantId, roles: ['admin'] });
});
const call: typeof service.call = (endpoint, input, options = {}) =>
  service.call(endpoint, input, { as, ...options });

const rub = (amount: string) => Money.parse(amount, 'RUB');
const line = (name: string, price: string, days = '1') => ({
  name,
  time: { value: days, unit: 'DAY' },
  price: { amount: price, currency: 'RUB' },
});
const draft = {
  invoiceDate: '2026-03-15',
  customerName: 'ООО «Сосна»',
  lines: [line('Дрель', '333.33', '3'), { ...line('Уровень', '100.05'), taxPercent: '10' }],
};
const create = async (body: Partial<typeof draft> & { readonly shelfId?: string } = {}) =>
  (await call(invoices.create, { body: { ...draft, ...body } })).body;
const idOf = ({ rentalInvoiceId }: { readonly rentalInvoiceId: string }) => ({ params: { rentalInvoiceId } });
const createPosted = async (body?: Parameters<typeof create>[0]) =>
  (await call(invoices.post, idOf(await create(body)))).body;
const get = async (id: string) => (await call(invoices.get, { params: { rentalInvoiceId: id } })).body;

describe('a draft', () => {
  it('has totals, which follow its lines, and no number', async () => {
    const created = await create();
    expect(created).toMatchObject({
      state: 'draft',
      number: null,
      net: rub('1100.04'),
      tax: rub('210.01'), // 200.00 and 10.01: each line is rounded
      gross: rub('1310.05'),
      lines: [
        { net: rub('999.99'), tax: rub('200.00') },
        { net: rub('100.05'), tax: rub('10.01') },
      ],
    });
    const body = {
      lines: [
        ...created.lines.map(({ lineId }, place) => ({ lineId, ...draft.lines[place]! })),
        line('Пила', '10.00'),
      ],
    };
    const changed = await call(invoices.change, { ...idOf(created), body });
    expect(changed.body).toMatchObject({ gross: rub('1322.05'), version: 2 });
    expect(changed.body.lines[0]?.lineId).toBe(created.lines[0]?.lineId);
  });

  it.each(['number', 'gross', 'state', 'reversalOfId'])('does not take %s from anybody', async (field) => {
    const answer = await call(invoices.create, { body: { ...draft, [field]: null } as never });
    expect(answer.status).toBe(400);
  });

  it('is cancelled with a reason, and stays; a posted one cannot be', async () => {
    const created = await create();
    const reason = { body: { reason: 'Ordered twice' } };
    const { body } = await call(invoices.cancel, { ...idOf(created), ...reason });
    expect(body).toMatchObject({ state: 'cancelled', number: null, cancelReason: 'Ordered twice' });
    expect(await call(invoices.post, idOf(created))).toBeRefused(StateUnfit, { state: 'cancelled' });
    const posted = await createPosted();
    expect(await call(invoices.cancel, { ...idOf(posted), ...reason })).toBeRefused(StateUnfit);
  });

  it('can be made from any document, for another day', async () => {
    const posted = await createPosted();
    const copied = await call(invoices.copy, { ...idOf(posted), body: { date: '2026-04-15' } });
    expect(copied.status).toBe(201);
    expect(copied.body).toMatchObject({
      invoiceDate: '2026-04-15',
      customerName: draft.customerName,
      gross: posted.gross,
      state: 'draft',
      number: null,
    });
    expect(copied.body.lines[0]?.lineId).not.toBe(posted.lines[0]?.lineId);
  });
});

describe('posting a document', () => {
  it('gives it the next number of its year, with an event and its history', async () => {
    const [one, two, other] = [
      await createPosted(),
      await createPosted(),
      await createPosted({ invoiceDate: '2027-01-01' }),
    ];
    expect([one, two, other].map(({ number }) => number)).toEqual([
      'INV-2026-000001',
      'INV-2026-000002',
      'INV-2027-000001',
    ]);
    const told = (await service.events()).filter(({ subject }) => subject === one.rentalInvoiceId);
    expect(told).toMatchObject([{ type: invoices.created.type }, { type: invoices.posted.type }]);
    expect(told[1]?.data).toMatchObject({ number: 'INV-2026-000001', state: 'posted' });
    const { body } = await call(invoices.history, { ...idOf(one), query: {} });
    expect(body.items[0]).toMatchObject({ action: 'post', version: 2 });
  });

  it('gives numbers without gap to many at once, also in bulk and with refusals between', async () => {
    const drafts = await Promise.all(Array.from({ length: 20 }, () => create()));
    const items = drafts.slice(0, 10).map(({ rentalInvoiceId }) => ({ id: rentalInvoiceId }));
    const posting = drafts.slice(10).map((each) => call(invoices.post, idOf(each)));
    const stale = drafts
      .slice(5, 15)
      .map((each) => call(invoices.post, idOf(each), { headers: { 'if-match': '"9"' } }));
    await Promise.all([call(invoices.bulk, { body: { action: 'post', items } }), ...posting, ...stale]);
    const { body } = await call(invoices.list, { query: { sort: '-invoiceDate,number' } });
    expect(body.items.map(({ number }) => number)).toEqual(
      Array.from({ length: 20 }, (_, index) => `INV-2026-${String(index + 1).padStart(6, '0')}`),
    );
  });

  it('is refused twice, to those who have not read it anew, and without the permission', async () => {
    const created = await create();
    const stale = { headers: { 'if-match': '"2"' } };
    expect(await call(invoices.post, idOf(created), stale)).toBeRefused(Stale);
    const user = { as: tokenFor({ tenantId, roles: ['user'] }) };
    expect(await call(invoices.post, idOf(created), user)).toBeRefused(Forbidden);
    const stranger = { as: tokenFor({ tenantId: newId(), roles: ['admin'] }) };
    expect(await call(invoices.post, idOf(created), stranger)).toBeRefused(Absent);
    await call(invoices.post, idOf(created));
    expect(await call(invoices.post, idOf(created))).toBeRefused(StateUnfit, { state: 'posted' });
    expect((await createPosted()).number).toBe('INV-2026-000002');
  });

  it('is refused when the service would compute other totals than those that people have seen', async () => {
    const { rentalInvoiceId } = await create();
    const parts = { outbox: { add: async () => {}, addAll: async () => {} } };
    const documents = documentsOf(invoices.record, {
      ...parts,
      totals: (values) => ({ ...invoices.totals(values), gross: rub('1.00') }),
    });
    const author: Author = { userId: newId(), at: new Date() };
    const posting = service.database.database.inTenant(tenantId, async (tx) => {
      const present = await documents.records.lock(tx, rentalInvoiceId);
      return documents.post(tx, present!, author);
    });
    await expect(posting).rejects.toMatchObject({ facts: { fields: ['gross'] } });
    await expect(posting).rejects.toBeInstanceOf(TotalsOutOfDate);
  });
});

describe('a posted document', () => {
  it('is reversed once, by a document with a number and a day of its own', async () => {
    const posted = await createPosted();
    const early = { ...idOf(posted), body: { date: '2026-03-14' } };
    expect(await call(invoices.reverse, early)).toBeRefused(ReversalBeforeOriginal, { date: '2026-03-15' });
    const reversing = { ...idOf(posted), body: { date: '2026-04-01' } };
    const answers = await Promise.all([1, 2, 3].map(() => call(invoices.reverse, reversing)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
    const original = await get(posted.rentalInvoiceId);
    expect(original).toMatchObject({ state: 'reversed', number: 'INV-2026-000001', version: 3 });
    const reversal = await get(original.reversedById ?? '');
    expect(reversal).toMatchObject({
      state: 'posted',
      number: 'INV-2026-000002',
      invoiceDate: '2026-04-01',
      reversalOfId: posted.rentalInvoiceId,
      gross: posted.gross,
      lines: [{ name: 'Дрель' }, { name: 'Уровень' }],
    });
  });

  it('is reversed also when what it refers to has been archived since, and then not copied', async () => {
    const { shelfId } = (await call(shelves.create, { body: { code: 'A1', name: 'First' } })).body;
    const posted = await createPosted({ shelfId });
    await call(shelves.archive, { params: { shelfId } });
    expect((await call(invoices.reverse, { ...idOf(posted), body: { date: '2026-03-15' } })).status).toBe(
      200,
    );
    const copying = { ...idOf(posted), body: { date: '2026-03-15' } };
    expect(await call(invoices.copy, copying)).toBeRefused(ReferenceUnknown, { isArchived: true });
  });

  it('is not changed or archived by anybody', async () => {
    const posted = await createPosted();
    for (const body of [{ customerName: 'Other' }, { lines: [] }, { custom: {} }]) {
      expect(await call(invoices.change, { ...idOf(posted), body })).toBeRefused(StateUnfit);
    }
    const items = [{ id: posted.rentalInvoiceId }];
    const { body } = await call(invoices.bulk, { body: { action: 'archive', items } });
    expect(body.results[0]?.problem?.code).toBe(FieldFixed.definition.code);
  });

  it.each([
    ['a field', "update rental_invoice set customer_name = 'Other'"],
    ['its number', "update rental_invoice set number = number || 'X' where state = 'posted'"],
    ['its state', "update rental_invoice set state = 'draft', number = null"],
    [
      'a field with its reversal',
      "update rental_invoice set state = 'reversed', customer_name = 'Other' where state = 'posted'",
    ],
    ['a line', 'update rental_invoice_lines set price_minor = 1'],
    ['its lines', 'delete from rental_invoice_lines'],
    [
      'one line more',
      `insert into rental_invoice_lines select tenant_id, rental_invoice_id, 9, gen_random_uuid(), tool_id, name,
      time_value, time_unit, price_minor, price_currency, tax_percent, net_minor, net_currency, tax_minor, tax_currency
      from rental_invoice_lines where line_number = 1`,
    ],
    ['everything', 'truncate rental_invoice, rental_invoice_lines'],
    ['its being there', 'delete from rental_invoice where net_minor = 0'], // it has no lines
  ])('keeps %s even from who comes with SQL', async (_, sql) => {
    await createPosted();
    await createPosted({ lines: [] });
    const all = async () => [
      await service.rows('rental_invoice'),
      await service.rows('rental_invoice_lines'),
    ];
    const before = await all();
    await expect(service.database.sql(sql)).rejects.toThrow(/never (?:changed|deleted)/);
    expect(await all()).toEqual(before);
  });
});
