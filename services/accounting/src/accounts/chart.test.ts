import { Absent, Forbidden, MalformedRequest, newId, Stale } from '@marimo/contracts';
import { accounts } from '@marimo/contracts/accounting';
import { type ServiceUnderTest, tokenFor } from '@marimo/testing';
import { type Organisation, organisationIn, startAccounting } from '../../test/organisation.ts';

let service: ServiceUnderTest;
let pine: Organisation;
beforeAll(async () => {
  service = await startAccounting();
});
afterAll(() => service?.stop());
beforeEach(() => {
  pine = organisationIn(service);
});

const materials = { code: '10', name: 'Materials', type: 'asset', isGroup: true } as const;
const timber = { code: '10.01', name: 'Timber', type: 'asset', parentCode: '10' } as const;

async function codes(query = {}): Promise<string[]> {
  const { body } = await pine.call(accounts.list, { query: { limit: 200, ...query } });
  return body.items.map(({ code }) => code);
}

describe('adding an account', () => {
  it('puts it below its parent, with one event', async () => {
    await pine.call(accounts.create, { body: materials });
    const answer = await pine.call(accounts.create, { body: timber });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ ...timber, isGroup: false, archived: false, version: 1 });
    expect(answer.headers.get('etag')).toBe('"1"');
    const events = await pine.events(accounts.created.type);
    expect(events.map(({ data }) => data)).toContainEqual(answer.json);
    expect(events).toHaveLength(2);
  });

  it('can be repeated', async () => {
    const first = await pine.call(accounts.create, { body: materials });
    const again = await pine.call(accounts.create, { body: materials });
    expect([again.status, again.json]).toEqual([200, first.json]);
    expect(await pine.events(accounts.created.type)).toHaveLength(1);
  });

  it('refuses a code that another account has, and a parent that is not there', async () => {
    await pine.call(accounts.create, { body: materials });
    const other = await pine.call(accounts.create, { body: { ...materials, type: 'expense' } });
    expect(other).toBeRefused(accounts.AccountCodeTaken, { accountCode: '10' });
    const orphan = await pine.call(accounts.create, { body: { ...timber, parentCode: '11' } });
    expect(orphan).toBeRefused(accounts.AccountParentUnknown, { parentCode: '11' });
    expect(await codes()).toEqual(['10']);
  });

  it('refuses a parent that is no group, or one of another type', async () => {
    await pine.accounts({ code: '60', type: 'liability', isGroup: true }, '41');
    expect(await pine.call(accounts.create, { body: { ...timber, parentCode: '41' } })).toBeRefused(
      accounts.AccountParentUnfit,
      { accountCode: '10.01', parentCode: '41', reason: 'not-a-group' },
    );
    expect(await pine.call(accounts.create, { body: { ...timber, parentCode: '60' } })).toBeRefused(
      accounts.AccountParentUnfit,
      { reason: 'other-type' },
    );
    expect(await codes()).toEqual(['41', '60']);
  });

  it('adds one account when two ask for it at the same moment', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => pine.call(accounts.create, { body: materials })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 201]);
  });

  it('takes codes that look alike for one, and refuses what cannot be seen in a code', async () => {
    const create = (code: string) => pine.call(accounts.create, { body: { ...materials, code } });
    const answers = await Promise.all(['Caf\u00e9', '77'].map(create));
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect((await create('Cafe\u0301')).json).toEqual(answers[0]?.json);
    expect((await create('\u00a077 ')).status).toBe(200);
    expect(await create('77\u200b')).toBeRefused(MalformedRequest);
    expect(await codes({ code: 'Cafe\u0301' })).toEqual(['Caf\u00e9']);
    expect(await codes({ text: 'CAFE\u0301' })).toEqual(['Caf\u00e9']);
  });

  it.each([
    ['code', ' '],
    ['code', 'a\u0000b'],
    ['name', 'line\nbreak'],
    ['type', 'cash'],
  ])('refuses a %s of %j', async (field, value) => {
    const answer = await pine.call(accounts.create, { body: { ...materials, [field]: value } });
    expect(answer).toBeRefused(MalformedRequest);
  });

  it('is for those who may', async () => {
    const as = tokenFor({ tenantId: pine.tenantId, roles: ['shop_manager'] });
    expect(await pine.call(accounts.create, { body: materials }, { as })).toBeRefused(Forbidden);
  });
});

describe('the chart of accounts', () => {
  it('is listed in the order of codes, in pages, and can be searched', async () => {
    await pine.accounts('51', { code: '90', type: 'income' }, '10', 'Касса', '41');
    expect(await codes()).toEqual(['10', '41', '51', '90', 'Касса']);
    const { body: first } = await pine.call(accounts.list, { query: { limit: 2 } });
    const { body: rest } = await pine.call(accounts.list, { query: { limit: 3, after: first.next ?? '' } });
    expect([...first.items, ...rest.items].map(({ code }) => code)).toEqual([
      '10',
      '41',
      '51',
      '90',
      'Касса',
    ]);
    expect(rest.next).toBeNull();
    expect(await codes({ type: 'income' })).toEqual(['90']);
    expect(await codes({ text: 'касс' })).toEqual(['Касса']);
    expect(await codes({ code: '4' })).toEqual([]);
  });

  it('is searched with е and ё as one letter, in any case', async () => {
    await pine.accounts({ code: '51', name: 'Расчетный счет' }, { code: '52', name: 'Валютный счёт' }, '41');
    for (const text of ['счет', 'счёт', 'СЧЁТ']) expect(await codes({ text })).toEqual(['51', '52']);
  });

  it('is hidden from other organisations', async () => {
    const { body } = await pine.call(accounts.create, { body: materials });
    const oak = organisationIn(service);
    expect(await oak.call(accounts.get, { params: { accountId: body.accountId } })).toBeRefused(Absent);
    expect((await oak.call(accounts.list, { query: {} })).body.items).toEqual([]);
  });
});

describe('changing an account', () => {
  let account: accounts.Account;
  beforeEach(async () => {
    await pine.call(accounts.create, { body: materials });
    account = (await pine.call(accounts.create, { body: timber })).body;
  });
  const change = (body: object, ifMatch?: string, accountId = account.accountId) =>
    pine.call(
      accounts.change,
      { params: { accountId }, body },
      { headers: ifMatch === undefined ? {} : { 'if-match': ifMatch } },
    );

  it('renames, moves and archives it, with one event for each change and a new ETag', async () => {
    const renamed = await change({ name: 'Oak' }, '"1"');
    expect(renamed.body).toMatchObject({ name: 'Oak', parentCode: '10', version: 2 });
    expect(renamed.headers.get('etag')).toBe('"2"');
    expect((await change({ parentCode: null, archived: true }, '"2"')).body).toMatchObject({
      name: 'Oak',
      parentCode: null,
      archived: true,
      version: 3,
    });
    const read = await pine.call(accounts.get, { params: { accountId: account.accountId } });
    expect(read.body).toMatchObject({ name: 'Oak', parentCode: null, archived: true });
    expect(await pine.events(accounts.changed.type)).toMatchObject([
      { data: { version: 2 } },
      { data: { version: 3 } },
    ]);
    expect(await codes({ archived: 'false' })).toEqual(['10']);
  });

  it('refuses a change of what somebody else has changed since, and changes nothing', async () => {
    await change({ name: 'Oak' }, '"1"');
    expect(await change({ name: 'Beech' }, '"1"')).toBeRefused(Stale, { etag: '"2"' });
    expect((await pine.call(accounts.get, { params: { accountId: account.accountId } })).body.name).toBe(
      'Oak',
    );
  });

  it('tells nobody when nothing changed', async () => {
    expect((await change({ name: 'Timber', parentCode: '10' })).body.version).toBe(1);
    expect(await pine.events(accounts.changed.type)).toEqual([]);
  });

  it('never lets an account stand below itself', async () => {
    const [parent] = (await pine.call(accounts.list, { query: { code: '10' } })).body.items;
    expect(await change({ parentCode: '10.01' }, undefined, parent?.accountId)).toBeRefused(
      accounts.AccountBelowItself,
    );
    expect(await change({ parentCode: '10.01' })).toBeRefused(accounts.AccountBelowItself, {
      accountCode: '10.01',
    });
    expect(await change({ parentCode: '99' })).toBeRefused(accounts.AccountParentUnknown);
  });

  it('makes no circle when two move below each other at the same moment', async () => {
    await pine.accounts({ code: 'A', isGroup: true }, { code: 'B', isGroup: true });
    const [a, b] = await Promise.all(
      ['A', 'B'].map(async (code) => (await pine.call(accounts.list, { query: { code } })).body.items[0]!),
    );
    const answers = await Promise.all([
      change({ parentCode: 'B' }, undefined, a!.accountId),
      change({ parentCode: 'A' }, undefined, b!.accountId),
    ]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422]);
  });

  it('archives a group only when nothing below it is in use, and takes nothing back into use below it', async () => {
    const [parent] = (await pine.call(accounts.list, { query: { code: '10' } })).body.items;
    const inUse = await change({ archived: true }, undefined, parent?.accountId);
    expect(inUse).toBeRefused(accounts.GroupInUse, { accountCode: '10', accountCodes: ['10.01'] });
    await change({ archived: true });
    expect((await change({ archived: true }, undefined, parent?.accountId)).body.archived).toBe(true);
    expect(await change({ archived: false })).toBeRefused(accounts.AccountParentUnfit, {
      reason: 'archived',
    });
    expect(await codes({ archived: 'false' })).toEqual([]);
  });

  it('moves an account only below a group of its type', async () => {
    await pine.accounts('41', { code: '70', type: 'expense', isGroup: true });
    expect(await change({ parentCode: '41' })).toBeRefused(accounts.AccountParentUnfit, {
      reason: 'not-a-group',
    });
    expect(await change({ parentCode: '70' })).toBeRefused(accounts.AccountParentUnfit, {
      reason: 'other-type',
    });
  });

  it('refuses an account that is not there', async () => {
    expect(await change({ name: 'Oak' }, undefined, newId())).toBeRefused(Absent);
  });
});

describe('importing a chart', () => {
  const importAs = (contentType: string, body: string, query = {}) =>
    pine.call(accounts.importFile, { query }, { raw: { contentType, body } });

  it.each([
    ['application/json', JSON.stringify([timber, materials])],
    ['application/x-ndjson', `${JSON.stringify(timber)}\n${JSON.stringify(materials)}`],
    ['text/csv', 'code,name,type,parentCode,isGroup\n10.01,Timber,asset,10,\n10,Materials,asset,,true'],
  ])('takes %s, children before parents too, and can be repeated', async (contentType, file) => {
    expect((await importAs(contentType, file)).body).toMatchObject({ accepted: 2, repeated: 0, refused: [] });
    expect((await importAs(contentType, file)).body).toMatchObject({ accepted: 0, repeated: 2, refused: [] });
    const { body } = await pine.call(accounts.list, { query: {} });
    expect(body.items).toMatchObject([
      { code: '10', isGroup: true },
      { ...timber, isGroup: false },
    ]);
    expect(await pine.events(accounts.created.type)).toHaveLength(2);
  });

  it('names what is refused and takes the rest', async () => {
    const file = [
      'code,name,type',
      '41,Goods,asset',
      '42,"Margin',
      '43,Products,thing',
      '44,Costs,expense',
    ].join('\n');
    const { body } = await importAs('text/csv', file);
    expect(body).toMatchObject({
      accepted: 2,
      refusedTotal: 2,
      refused: [
        { line: 3, code: null },
        { line: 4, code: '43' },
      ],
    });
    expect(await codes()).toEqual(['41', '44']);
  });

  it('takes nothing when all or nothing is asked for and one is refused, or when it is only a dry run', async () => {
    const file = JSON.stringify([materials, { ...timber, parentCode: '11' }]);
    const { body } = await importAs('application/json', file, { mode: 'all-or-nothing' });
    expect(body).toMatchObject({ accepted: 0, refused: [{ line: 2, code: '10.01' }] });
    expect((await importAs('application/json', file, { dryRun: 'true' })).body).toMatchObject({
      accepted: 1,
    });
    expect(await codes()).toEqual([]);
  });

  it('takes CSV as spreadsheets save it: padded columns and rows, sep=, truth in capitals', async () => {
    const file = [
      'sep=;',
      'code;name;type;isGroup;;',
      ' 20 ;Production;Expense;TRUE;;',
      ';;;;;',
      '72;Wages;EXPENSE;;;',
    ];
    expect((await importAs('text/csv', file.join('\r\n'))).body).toMatchObject({
      accepted: 2,
      refusedTotal: 0,
    });
    const { body } = await pine.call(accounts.list, { query: {} });
    expect(body.items).toMatchObject([{ code: '20', type: 'expense', isGroup: true }, { code: '72' }]);
  });

  it('says of accounts that stand below each other that they do', async () => {
    const file = 'code,name,type,parentCode,isGroup\nA,a,asset,B,true\nB,b,asset,A,true\nC,c,asset,,';
    const { body } = await importAs('text/csv', file);
    expect(body).toMatchObject({
      accepted: 1,
      refused: [
        { line: 2, problem: { code: accounts.AccountBelowItself.definition.code, accountCode: 'A' } },
        { line: 3, problem: { code: accounts.AccountBelowItself.definition.code, accountCode: 'B' } },
      ],
    });
  });

  it('refuses what is no list', async () => {
    expect(await importAs('application/json', '{}')).toBeRefused(MalformedRequest);
  });
});

describe('a chart from a template', () => {
  const from = (template: 'ru' | 'generic', language?: 'en' | 'ru') =>
    pine.call(accounts.createFromTemplate, {
      body: { template, ...(language !== undefined && { language }) },
    });

  it('brings the accounts in the language of its country or the one asked for', async () => {
    const { body: template } = await pine.call(accounts.listTemplates, {});
    const count = template.items.find((each) => each.template === 'ru')?.accounts.length;
    expect((await from('ru')).body).toEqual({ created: count, present: 0 });
    const { body } = await pine.call(accounts.list, { query: { text: '51' } });
    expect(body.items).toMatchObject([{ code: '51', name: 'Расчетные счета', type: 'asset' }]);
    expect(await pine.events(accounts.created.type)).toHaveLength(count ?? 0);

    const oak = organisationIn(service);
    await oak.call(accounts.createFromTemplate, { body: { template: 'ru', language: 'en' } });
    const { body: english } = await oak.call(accounts.list, { query: { code: '51' } });
    expect(english.items).toMatchObject([{ name: 'Settlement accounts' }]);
  });

  it('adds only what is not there, and leaves what is as it is', async () => {
    await pine.accounts({ code: '1110', name: 'Our till', type: 'asset' });
    const { body: first } = await from('generic');
    expect(first.present).toBe(1);
    expect((await from('generic')).body).toEqual({ created: 0, present: first.created + 1 });
    expect((await pine.call(accounts.list, { query: { code: '1110' } })).body.items).toMatchObject([
      { name: 'Our till' },
    ]);
  });
});
