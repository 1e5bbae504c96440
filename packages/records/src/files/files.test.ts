import { newId } from '@marimo/contracts';
import { sharedSigner, tokenFor, useService } from '@marimo/testing';
import { shelves, toolService, tools } from '@marimo/testing/records';

const service = useService(toolService);

let tenantId: string;
let as: string;
beforeEach(async () => {
  tenantId = newId();
  as = tokenFor({ tenantId });
  await addOrganisation(tenantId);
});
const addOrganisation = (id: string) =>
  service.database.sql(
    `insert into organisation_facts (tenant_id, name, base_currency, language, time_zone, told_at)
     values ($1, 'ООО Сосна', 'RUB', 'en', 'Europe/Moscow', now())`,
    [id],
  );

const call: typeof service.call = (endpoint, input, options = {}) =>
  service.call(endpoint, input, { as, ...options });
const types = {
  csv: 'text/csv',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  ndjson: 'application/x-ndjson',
  json: 'application/json',
};
type Query = Readonly<Record<string, string>>;

async function send(
  file: string | Uint8Array<ArrayBuffer>,
  query: Query = {},
  type: keyof typeof types = 'csv',
) {
  const answer = await call(tools.importFile, { query } as never, {
    raw: { contentType: types[type], body: file },
  });
  return answer.body as Extract<typeof answer.body, { created: number }>;
}
async function download(query: Query = {}, path = tools.exportFile.path, token = as) {
  const answer = await fetch(`${service.url}${path}?${new URLSearchParams(query).toString()}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return {
    status: answer.status,
    headers: answer.headers,
    bytes,
    text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
  };
}
const listed = async () => (await call(tools.list, { query: { limit: 200 } })).body.items;
const counts = ({ created, changed, repeated, refusedTotal }: Awaited<ReturnType<typeof send>>) => ({
  created,
  changed,
  repeated,
  refused: refusedTotal,
});
const told = ({ refused }: Awaited<ReturnType<typeof send>>) =>
  refused.map(({ line, key, problem }) => `${line} ${key}: ${problem.detail}`);

const full = {
  code: 'D-100',
  name: '=2+3',
  notes: 'First "line"\nsecond; line',
  kind: 'power',
  boughtOn: '2026-03-01',
  lastUsedAt: '2026-03-02T10:00:00.250Z',
  isLent: true,
  pieces: 3,
  lengthMetres: '1.234',
  price: { amount: '12500.00', currency: 'RUB' },
  stock: { value: '3.5', unit: 'KGM' },
  wearPercent: '12.5',
  keeperName: 'Anna',
  keeperEmail: 'anna@example.com',
  keeperPhone: '+7 495 123-45-67',
  keptAt: { country: 'RU', city: 'Москва', street: "'=1" },
  tags: ['blue', 'new'],
  parts: [{ name: 'Chuck' }, { name: '-Handle', count: 2, cost: { amount: '1.25', currency: 'EUR' } }],
} as const;
async function createFull() {
  const { shelfId } = (await call(shelves.create, { body: { code: 'A1', name: 'First' } })).body;
  await call(tools.create, { body: { ...full, parts: [...full.parts], tags: [...full.tags], shelfId } });
  await call(tools.create, { body: { code: 'D-101', name: 'Plain', kind: 'hand' } });
}

describe('an exported file', () => {
  it.each([
    ['csv', 'en'],
    ['csv', 'ru'],
    ['xlsx', 'en'],
    ['xlsx', 'ru'],
    ['ndjson', 'en'],
  ] as const)(
    'as %s in %s is imported again unchanged, and restores what was changed meanwhile',
    async (format, language) => {
      await createFull();
      const before = await listed();
      const { bytes } = await download({ format, language });
      expect(counts(await send(bytes, {}, format))).toEqual({
        created: 0,
        changed: 0,
        repeated: 2,
        refused: 0,
      });
      const toolId = before[0]?.toolId ?? '';
      await call(tools.change, {
        params: { toolId },
        body: {
          name: 'Other',
          price: null,
          lengthMetres: '2',
          tags: [],
          parts: [],
          lastUsedAt: null,
          keptAt: null,
        },
      });
      expect(counts(await send(bytes, {}, format))).toEqual({
        created: 0,
        changed: 1,
        repeated: 1,
        refused: 0,
      });
      const after = await listed();
      const free = (items: typeof after) => items.map((item) => ({ ...item, version: 0, changedAt: null }));
      expect(free(after)).toEqual(free(before));
    },
  );

  it('is written for the reader: labels, semicolons and a comma in Russian, and nothing that runs as a formula', async () => {
    await createFull();
    const { text, headers } = await download({ format: 'csv', language: 'ru' });
    const lines = text.split('\r\n');
    expect(lines[0]).toMatch(/^\ufeffИД;Код;Наименование;Примечания;Вид;Дата покупки;/);
    expect(lines[0]).toContain('Цена;Цена, валюта;');
    expect(text).toContain(
      `D-100;'=2+3;"First ""line""\nsecond; line";Электрический;01.03.2026;2026-03-02T10:00:00.250Z;ИСТИНА;3;1,2340;12500,00;RUB;`,
    );
    expect(text).toContain(`;'+7 495 123-45-67;`);
    expect(text).toContain(`;''=1;A1;`);
    expect(text).toContain(`'-Handle`);
    expect(headers.get('content-disposition')).toContain('.csv');
    expect(JSON.parse(decodeURIComponent(headers.get('marimo-export') ?? ''))).toMatchObject({
      record: 'config.tool',
    });
  });

  it('holds what the list holds by the same filters, in its sort and the fields chosen', async () => {
    await createFull();
    const { text } = await download({ kind: 'hand,power', sort: '-code', fields: 'code,kind' });
    expect(text.split('\r\n').map((line) => line.split(',').slice(1).join())).toEqual([
      'Code,Kind',
      'D-101,Hand tool',
      'D-100,Power tool',
      '',
    ]);
    expect((await download({ kind: 'hand', format: 'ndjson' })).text.trim().split('\n')).toHaveLength(1);
    expect((await download({ colour: 'red' })).status).toBe(400);
  });

  it('shows nothing of another organisation, and an import finds nothing of it', async () => {
    await createFull();
    const { bytes } = await download({ format: 'csv' });
    const other = newId();
    await addOrganisation(other);
    as = tokenFor({ tenantId: other });
    expect((await download({ format: 'ndjson' })).text).toBe('');
    const report = await send(bytes);
    expect(told(report)).toEqual([expect.stringContaining('there is no shelf "A1"')]);
    expect(report.created).toBe(1);
  });
});

describe('an import', () => {
  it('takes columns by their names in either language or by their own, in any order', async () => {
    const csv =
      'Вид;NAME;код;price.amount;Цена, валюта;Метки\nРучной;Молоток;М-1;1 234,56;rub;синий, новый\n';
    expect(counts(await send(csv))).toEqual({ created: 1, changed: 0, repeated: 0, refused: 0 });
    expect(await listed()).toMatchObject([
      { code: 'М-1', name: 'Молоток', kind: 'hand', tags: ['синий', 'новый'] },
    ]);
  });

  it('creates what is not there, changes what differs and counts what is the same', async () => {
    await send('code,name,kind\nA,One,hand\nB,Two,hand');
    const report = await send('code,name,kind\nA,One,hand\nB,Second,hand\nC,Three,power');
    expect(counts(report)).toEqual({ created: 1, changed: 1, repeated: 1, refused: 0 });
    expect((await listed()).map(({ name }) => name)).toEqual(['One', 'Second', 'Three']);
  });

  it('leaves alone what the file has no column for, and empties what it leaves blank', async () => {
    await send('code,name,kind,notes,boughtOn\nA,One,hand,Old,2026-01-01');
    await send('code,notes\nA,');
    expect(await listed()).toMatchObject([{ name: 'One', notes: null, boughtOn: '2026-01-01' }]);
  });

  it('names each row it refuses as the spreadsheet does, and takes the others', async () => {
    const csv = [
      'Код;Наименование;Вид;Дата покупки;Цена;Цена, валюта',
      'A;One;Ручной;31.02.2026;;',
      'B;Two;Ручной;01.03.2026;1,234,5;RUB',
      ';;;;;',
      'C;;Ручной;;;',
      'D;Four;Ручной;;5,00;RUB',
      'D;Five;Ручной;;;',
      'E;Six;Деревянный;;;',
    ].join('\r\n');
    const report = await send(csv);
    expect(report.created).toBe(1);
    expect(told(report)).toEqual([
      expect.stringContaining('2 A: Row 2, Дата покупки: must be an existing date'),
      expect.stringContaining('3 B: Row 3, Цена: "1,234,5" is not an amount'),
      expect.stringMatching(/^5 C: Row 5, Наименование: /),
      '7 D: Row 7, Код: "D" stands in row 6 already.',
      '8 E: Row 8, Вид: "Деревянный" is not one of hand, power, gauge.',
    ]);
  });

  it('takes all or nothing where that is asked for, and writes nothing in a dry run', async () => {
    const csv = 'code,name,kind\nA,One,hand\nB,Two,wood';
    expect(counts(await send(csv, { mode: 'all-or-nothing' }))).toMatchObject({ created: 0, refused: 1 });
    expect(await listed()).toEqual([]);
    const tried = await send(csv, { dryRun: 'true' });
    expect(counts(tried)).toMatchObject({ created: 1, refused: 1 });
    expect(tried.understood?.columns).toContainEqual({
      column: 'code',
      field: 'code',
      readAs: 'text',
      example: { written: 'A', read: 'A' },
    });
    expect(await listed()).toEqual([]);
    expect((await service.events()).filter(({ tenantid }) => tenantid === tenantId)).toEqual([]);
  });

  it('refuses a state that an import would have to change, and the id of a line goes on', async () => {
    await createFull();
    const report = await send('code,state\nD-100,In use\nD-101,Новый');
    expect(told(report)).toEqual(['2 D-100: Row 2, state: it is new; an import does not change that.']);
  });

  it('makes one record of rows that go on, a line of each', async () => {
    const csv = [
      'code,name,kind,Parts: Name,parts.count',
      'A,One,hand,Blade,2',
      'A,One,hand,Screw,8',
      ',,,Nut,',
      'B,Two,hand,,',
      'A,Other,hand,Bolt,1',
    ].join('\n');
    const report = await send(csv);
    expect(counts(report)).toMatchObject({ created: 2, refused: 1 });
    const toolId = (await listed())[0]?.toolId ?? '';
    expect((await call(tools.get, { params: { toolId } })).body.parts).toMatchObject([
      { name: 'Blade', count: 2 },
      { name: 'Screw', count: 8 },
      { name: 'Nut', count: 1 },
    ]);
  });

  it('gives a workbook to fill in, which says what is needed and is understood when it comes back', async () => {
    const { bytes } = await download({ format: 'xlsx', language: 'ru' }, tools.importTemplate.path);
    const report = await send(bytes, { dryRun: 'true' }, 'xlsx');
    expect(report.understood?.columns.map(({ column }) => column)).toEqual(
      expect.arrayContaining(['Код *', 'Наименование *', 'Дата покупки']),
    );
  });

  it('lets only those change records who may', async () => {
    await send('code,name,kind\nA,One,hand');
    as = sharedSigner().sign({
      tid: tenantId,
      roles: [],
      grants: ['config.tool.create', 'config.tool.read'],
    });
    expect(told(await send('code,name,kind\nA,Other,hand\nB,Two,hand'))).toEqual([
      expect.stringMatching(/^2 A: /),
    ]);
    expect((await listed()).map(({ name }) => name)).toEqual(['One', 'Two']);
  });
});
