import { Absent, MalformedRequest, newId } from '@marimo/contracts';
import { organisations } from '@marimo/contracts/users';
import { tokenFor, useService } from '@marimo/testing';
import { rentalInvoices as invoices, toolService } from '@marimo/testing/records';
import { extractText, getDocumentProxy } from 'unpdf';

const service = useService(toolService);

/** An organisation of its own for each test. */
let as: string;
beforeEach(async () => {
  as = await organisation();
});
/** The token of an administrator of a new one, which the service has been told of. */
async function organisation(): Promise<string> {
  const tenantId = newId();
  await service.deliver(organisations.changed, {
    tenantId,
    data: {
      id: tenantId,
      name: 'ООО «Сосна»',
      baseCurrency: 'RUB',
      language: 'ru',
      timeZone: 'Europe/Moscow',
      state: 'active',
      requireSecondFactor: false,
      strictSeparation: false,
      closesAt: null,
    },
  });
  return tokenFor({ tenantId, roles: ['admin'] });
}
const call: typeof service.call = (endpoint, input, options = {}) =>
  service.call(endpoint, input, { as, ...options });

async function createPosted(lines = 2, customerName = 'ООО «Ёлка и Щегол»'): Promise<string> {
  const line = (_: unknown, place: number) => ({
    name: `Дрель ударная ${place + 1}`,
    time: { value: '1.5', unit: 'DAY' },
    price: { amount: '1000.00', currency: 'RUB' },
  });
  const body = { invoiceDate: '2026-03-15', customerName, lines: Array.from({ length: lines }, line) };
  const { rentalInvoiceId } = (await call(invoices.create, { body })).body;
  await call(invoices.post, { params: { rentalInvoiceId } });
  return rentalInvoiceId;
}

/** As a browser would: PDF where JSON is expected of other answers. */
async function fetched(path: string, body?: object) {
  const answer = await fetch(`${service.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${as}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { answer, bytes: new Uint8Array(await answer.arrayBuffer()) };
}
const printed = (id: string, query = '') => fetched(`/api/v1/config/rental-invoices/${id}/print${query}`);
const printedTogether = (body: object) => fetched('/api/v1/config/rental-invoices/print', body);
async function pagesOf(bytes: Uint8Array): Promise<string[]> {
  const { text } = await extractText(await getDocumentProxy(bytes.slice()));
  return text.map((page) => page.replace(/\u00a0/g, ' '));
}

describe('the printed form of a document', () => {
  it('says in the language of the organisation what the document says, with the amount in words', async () => {
    const { answer, bytes } = await printed(await createPosted());
    expect(answer.headers.get('content-type')).toBe('application/pdf');
    expect(answer.headers.get('content-disposition')).toMatch(/^inline; .*INV-2026-000001\.pdf$/);
    const [page = ''] = await pagesOf(bytes);
    for (const text of [
      'Счёт INV-2026-000001, 15 марта 2026 г.',
      'ООО «Сосна»',
      'ООО «Ёлка и Щегол»',
      '1 Дрель ударная 1 1,5 DAY 1 000,00 20 1 500,00',
      'Итого: 3 600,00 RUB',
      'Три тысячи шестьсот рублей 00 копеек',
      'Итого по странице: 3 000,00 RUB',
      '1 / 1',
    ])
      expect(page).toContain(text);
  });

  it('says it in English where that is asked for', async () => {
    const [page = ''] = await pagesOf((await printed(await createPosted(), '?language=en')).bytes);
    for (const text of [
      'Invoice INV-2026-000001, 15 March 2026',
      '1,500.00',
      'Three thousand six hundred roubles 00 kopecks',
    ])
      expect(page).toContain(text);
  });

  it('repeats the head of its table, and gives each page its number and its sum', async () => {
    const { bytes } = await printed(await createPosted(200), '?language=ru');
    const pages = await pagesOf(bytes);
    expect(pages.length).toBeGreaterThan(3);
    const sums = pages.map((page, place) => {
      expect(page).toContain('Наименование Срок Цена');
      expect(page).toContain(`${place + 1} / ${pages.length}`);
      return Number(/Итого по странице: ([\d ]+),00/.exec(page)?.[1]?.replaceAll(' ', ''));
    });
    expect(sums.reduce((sum, each) => sum + each)).toBe(300_000);
  });

  it('is the same bytes for the same document', async () => {
    const id = await createPosted();
    const [one, two] = [await printed(id), await printed(id)];
    expect(Buffer.from(one.bytes).equals(Buffer.from(two.bytes))).toBe(true);
    expect(one.answer.headers.get('etag')).toBe(two.answer.headers.get('etag'));
  });

  it('is refused where there is no such document, form, language or permission', async () => {
    const params = { rentalInvoiceId: newId() };
    expect(await call(invoices.print, { params, query: {} })).toBeRefused(Absent);
    const query = { form: 'waybill' };
    expect(await call(invoices.print, { params, query })).toBeRefused(MalformedRequest);
    expect((await printed(newId(), '?language=de')).answer.status).toBe(400);
    const id = await createPosted();
    as = await organisation();
    expect((await printed(id)).answer.status).toBe(404);
    expect((await printedTogether({ ids: [id] })).answer.status).toBe(404);
  });
});

describe('printing many', () => {
  it('gives one file in the order asked for, in which each document counts its own pages', async () => {
    const ids = [
      await createPosted(1, 'First'),
      await createPosted(60, 'Second'),
      await createPosted(1, 'Third'),
    ];
    const pages = await pagesOf((await printedTogether({ ids: ids.toReversed(), language: 'en' })).bytes);
    const customers = pages.map((page) => /Customer: (\w+)/.exec(page)?.[1]);
    expect(customers.filter(Boolean)).toEqual(['Third', 'Second', 'First']);
    const counts = pages.map((page) => /INV-2026-(\d+) (\d+ \/ \d+)/.exec(page)?.slice(1).join(': '));
    expect(counts).toEqual(['000003: 1 / 1', '000002: 1 / 2', '000002: 2 / 2', '000001: 1 / 1']);
  });

  it('leaves the event loop to others while a hundred are rendered', async () => {
    const id = await createPosted(10);
    let longestMs = 0;
    let last = performance.now();
    const watch = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 5);
    const started = performance.now();
    const { answer } = await printedTogether({ ids: Array.from({ length: 100 }, () => id) });
    clearInterval(watch);
    expect(answer.status).toBe(200);
    // Rendering takes longer than its longest pause by far: it happens elsewhere.
    expect(longestMs).toBeLessThan((performance.now() - started) / 2);
  });

  it('takes a hundred at most', async () => {
    const ids = Array.from({ length: 101 }, newId);
    expect((await printedTogether({ ids })).answer.status).toBe(400);
  });
});
