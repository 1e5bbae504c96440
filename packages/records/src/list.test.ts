import { MalformedRequest, MeasureTooLarge, newId, TooManyGroups } from '@marimo/contracts';
import { Money } from '@marimo/measures';
import { tokenFor, useService } from '@marimo/testing';
import { toolService, tools } from '@marimo/testing/records';

const service = useService(toolService);

let as: string;
beforeEach(() => {
  as = tokenFor({ tenantId: newId(), roles: ['admin'] });
});
const call: typeof service.call = (endpoint, input, options = {}) =>
  service.call(endpoint, input, { as, ...options });

type Draft = Partial<Parameters<typeof service.call<typeof tools.create>>[1]['body'] & object>;
async function given(...all: readonly Draft[]): Promise<void> {
  for (const [place, each] of all.entries()) {
    const body = { code: `T-${place + 1}`, name: `Tool ${place + 1}`, kind: 'hand' as const, ...each };
    await call(tools.create, { body });
  }
}
type Query = Parameters<typeof service.call<typeof tools.list>>[1]['query'] & object;
const listed = async (query: Query) => (await call(tools.list, { query })).body;
const codes = async (query: Query) => (await listed(query)).items.map(({ code }) => code);
const forged = (sort: string, ...key: string[]) => ({
  sort,
  after: Buffer.from(JSON.stringify([sort, ...key])).toString('base64url'),
});
const rubles = (amount: string) => ({ amount, currency: 'RUB' });

describe('the filters of a list', () => {
  it('compare a field with what it may be', async () => {
    await given(
      {
        kind: 'power',
        boughtOn: '2026-01-01',
        price: rubles('100.00'),
        pieces: 5,
        isLent: true,
        tags: ['blue', 'old'],
      },
      {
        kind: 'gauge',
        boughtOn: '2026-02-01',
        price: rubles('250.50'),
        stock: { value: '2.5', unit: 'KGM' },
      },
      {
        kind: 'hand',
        price: { amount: '300', currency: 'JPY' },
        lengthMetres: '1.5',
        keptAt: { country: 'RU' },
      },
    );
    expect(await codes({ kind: 'power,gauge' })).toEqual(['T-1', 'T-2']);
    expect(await codes({ 'boughtOn.from': '2026-01-02' })).toEqual(['T-2']);
    expect(await codes({ 'boughtOn.to': '2026-01-31' })).toEqual(['T-1']);
    expect(await codes({ 'boughtOn.empty': 'true' })).toEqual(['T-3']);
    expect(await codes({ 'price.min': '250.50' })).toEqual(['T-2', 'T-3']); // 300 yen are three hundred, not three
    expect(await codes({ 'price.max': '250.49' })).toEqual(['T-1']);
    expect(await codes({ 'price.currency': 'JPY,KZT' })).toEqual(['T-3']);
    expect(await codes({ 'stock.min': '2.5', 'stock.unit': 'KGM' })).toEqual(['T-2']);
    expect(await codes({ 'lengthMetres.min': '1.50' })).toEqual(['T-3']);
    expect(await codes({ 'pieces.min': '2' })).toEqual(['T-1']);
    expect(await codes({ isLent: 'true' })).toEqual(['T-1']);
    expect(await codes({ tags: 'old,green' })).toEqual(['T-1']);
    expect(await codes({ 'keptAt.empty': 'false' })).toEqual(['T-3']);
    expect(await codes({ 'name.contains': 'OOL 2' })).toEqual(['T-2']);
    expect(await codes({ 'code.starts': 't-' })).toHaveLength(3);
    expect(await codes({ code: 'T-3' })).toEqual(['T-3']);
    expect(await codes({ state: 'new', archived: 'false' })).toHaveLength(3);
  });

  it.each([
    ['a filter that is not declared', { colour: 'red' }, '?colour'],
    ['an operator that the field does not have', { 'kind.min': '1' }, '?kind.min'],
    ['a field without a filter', { 'notes.contains': 'x' }, '?notes.contains'],
    ['a sort that is not declared', { sort: 'name' }, '?sort'],
    ['an unknown field', { fields: 'code,colour' }, '?fields'],
    ['a choice that does not exist', { kind: 'laser' }, '?kind'],
    ['an amount that is none', { 'price.min': '1e5' }, '?price.min'],
    ['whole numbers that are none', { 'pieces.min': '' }, '?pieces.min'],
    ['a filter called like what every object has', { constructor: '1' }, '?constructor'],
    ['a custom field with a sign', { '-custom.colour': 'red' }, '?-custom.colour'],
    ['a forged cursor beyond its column', forged('lengthMetres', '9e999', newId()), '?after'],
    ['a forged cursor too near to zero', forged('lengthMetres', '1e-999', newId()), '?after'],
    ['a forged cursor of the year 0', forged('-boughtOn,code', '0000-01-01', 'A', newId()), '?after'],
    ['a cursor of another sort', { sort: '-code', after: 'WyJjb2RlIiwiYSIsImIiXQ' }, '?after'],
  ])('refuse %s by name', async (_, query, pointer) => {
    const answer = await call(tools.list, { query: query as never });
    expect(answer).toBeRefused(MalformedRequest);
    expect(JSON.stringify(answer.json)).toContain(pointer);
  });
});

describe('the pages of a list', () => {
  const all = Array.from({ length: 23 }, (_, place): Draft => {
    const day = place % 3 === 0 ? null : `2026-01-${String(1 + (place % 5)).padStart(2, '0')}`;
    return {
      code: `T-${String(place).padStart(2, '0')}`,
      boughtOn: day,
      price: place % 4 === 0 ? null : rubles(`${place % 6}.00`),
      lengthMetres: place % 2 === 0 ? null : `0.${place % 7}`,
    };
  });

  it.each([
    'code',
    '-code',
    '-boughtOn,code',
    'boughtOn,-code',
    'price',
    '-price',
    'lengthMetres',
    '-lengthMetres',
  ])('under sort=%s hold each record once, in order', async (sort) => {
    await given(...all);
    const whole = (await listed({ sort, limit: 200 })).items.map(({ code }) => code);
    const paged: string[] = [];
    let after: string | undefined;
    do {
      const page = await listed({ sort, limit: 4, ...(after !== undefined && { after }) });
      paged.push(...page.items.map(({ code }) => code));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(paged).toEqual(whole);
    expect(new Set(paged).size).toBe(23);
    const reversed = sort.split(',').map((key) => (key.startsWith('-') ? key.slice(1) : `-${key}`));
    const backwards = (await listed({ sort: reversed.join(','), limit: 200 })).items.map(({ code }) => code);
    expect(backwards).toEqual(whole.toReversed());
  });

  it('neither lose nor repeat a record while others are added between them', async () => {
    await given(...all.slice(0, 10));
    const first = await listed({ sort: 'code', limit: 5 });
    await given({ code: 'T-000' }, { code: 'T-055' });
    const rest = await listed({ sort: 'code', limit: 50, after: first.next ?? '' });
    expect(rest.items.map(({ code }) => code)).toEqual(['T-05', 'T-055', 'T-06', 'T-07', 'T-08', 'T-09']);
  });

  it('show the fields that were asked for, and say how many there are', async () => {
    await given(...all);
    const page = await listed({ fields: 'name,price', limit: 1, count: 'true' });
    expect(Object.keys(page.items[0] ?? {}).toSorted()).toEqual(['name', 'price', 'toolId', 'version']);
    expect(page.count).toEqual({ value: 23, isExact: true });
  });
});

describe('searching', () => {
  beforeEach(() =>
    given(
      { code: 'КБ-100/7', name: 'Кабель медный силовой' },
      { code: 'D-1', name: 'Ударные дрели', notes: 'For heavy drilling' },
      { code: 'D-2', name: 'Ёмкость для масла' },
      { code: 'D-3', name: 'Paint brushes' },
    ),
  );

  it.each([
    ['кабели', ['КБ-100/7'], 'another form of the word'],
    ['медн', ['КБ-100/7'], 'its beginning'],
    ['дрель удар', ['D-1'], 'two words in any order'],
    ['brush', ['D-3'], 'English in its basic form'],
    ['drills', ['D-1'], 'another English form'],
    ['емкость', ['D-2'], 'е for ё'],
    ['кб-100', ['КБ-100/7'], 'the beginning of a code'],
    ['кобель медный', ['КБ-100/7'], 'a typing error'],
    ['brudhes', ['D-3'], 'an English typing error'],
    ['пила', [], 'nothing'],
    ['%', [], 'a sign that is no word'],
    ["' | !", [], 'signs of a query language'],
  ])('%s finds %j: %s', async (text, found) => {
    expect(await codes({ text })).toEqual(found);
  });

  it('stays in the organisation', async () => {
    const stranger = { as: tokenFor({ tenantId: newId(), roles: ['admin'] }) };
    expect((await call(tools.list, { query: { text: 'кабель' } }, stranger)).body.items).toEqual([]);
  });
});

describe('a summary', () => {
  const summarised = async (query: Parameters<typeof service.call<typeof tools.summary>>[1]['query']) =>
    (await call(tools.summary, { query })).body.groups;

  it('counts and measures in groups, money in each currency', async () => {
    await given(
      { kind: 'power', boughtOn: '2026-01-15', price: rubles('100.00'), pieces: 2 },
      { kind: 'power', boughtOn: '2026-02-15', price: rubles('50.01'), pieces: 3 },
      { kind: 'power', boughtOn: '2026-02-16', price: { amount: '7.00', currency: 'EUR' } },
      { kind: 'hand' },
    );
    expect(
      await summarised({ by: 'kind', sum: 'price,pieces', average: 'pieces', most: 'price' }),
    ).toMatchObject([
      { by: { kind: 'hand' }, count: 1, sum: { price: null, pieces: '1' } },
      {
        by: { kind: 'power' },
        count: 3,
        sum: { price: [Money.parse('7.00', 'EUR'), Money.parse('150.01', 'RUB')], pieces: '6' },
        average: { pieces: '2' },
        most: { price: [Money.parse('7.00', 'EUR'), Money.parse('100.00', 'RUB')] },
      },
    ]);
    expect(await summarised({ by: 'boughtOn.month,kind' })).toMatchObject([
      { by: { 'boughtOn.month': '2026-01', kind: 'power' }, count: 1 },
      { by: { 'boughtOn.month': '2026-02', kind: 'power' }, count: 2 },
      { by: { 'boughtOn.month': null, kind: 'hand' }, count: 1 },
    ]);
    expect(await summarised({ kind: 'power', sum: 'pieces' })).toMatchObject([
      { by: {}, count: 3, sum: { pieces: '6' } },
    ]);
  });

  it('refuses a sum that no quantity can hold', async () => {
    const stock = { value: '9'.repeat(18), unit: 'KGM' };
    await given({ stock }, { stock });
    const answer = await call(tools.summary, { query: { sum: 'stock' } });
    expect(answer).toBeRefused(MeasureTooLarge, { field: 'stock', currency: 'KGM' });
  });

  it('refuses what is not grouped or measured, and more than three fields', async () => {
    for (const query of [
      { by: 'name' },
      { by: 'boughtOn' },
      { sum: 'wearPercent' },
      { by: 'kind,state,isLent,shelfId' },
    ]) {
      expect(await call(tools.summary, { query })).toBeRefused(MalformedRequest);
    }
    expect(TooManyGroups.definition.kind).toBe('refused');
  });
});
