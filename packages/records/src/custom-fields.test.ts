import { CustomFieldUnfit, FieldFixed, KeyTaken, MalformedRequest, newId } from '@marimo/contracts';
import { tokenFor, useService } from '@marimo/testing';
import { customFields, toolService, tools } from '@marimo/testing/records';

const service = useService(toolService);

let as: string;
beforeEach(() => {
  as = tokenFor({ tenantId: newId(), roles: ['admin'] });
});
const call: typeof service.call = (endpoint, input, options = {}) =>
  service.call(endpoint, input, { as, ...options });

type Draft = Parameters<typeof service.call<typeof customFields.create>>[1]['body'] & object;
const define = (name: string, kind: Draft['kind'], more: Partial<Draft> = {}) =>
  call(customFields.create, {
    body: { recordName: 'tool', name, kind, labelEn: name, labelRu: name, ...more },
  });
const create = (code: string, custom?: Record<string, string | number | boolean | null>) =>
  call(tools.create, { body: { code, name: `Tool ${code}`, kind: 'hand', custom } });
const codes = async (query: Readonly<Record<string, string>>) =>
  (await call(tools.list, { query })).body.items.map(({ code }) => code);

describe('a field that an organisation adds', () => {
  it('takes values of its kind, and lists are filtered and sorted by it', async () => {
    await define('colour', 'choice', { options: ['red', 'blue'] });
    await define('voltage', 'wholeNumber');
    await define('width', 'decimal');
    await define('checkedOn', 'day');
    await define('isOurs', 'flag');
    await create('A', { colour: 'red', voltage: 220, width: '1.5', checkedOn: '2026-01-31', isOurs: true });
    await create('B', { colour: 'blue', voltage: 36, width: '10' });
    await create('C');
    expect(await codes({ 'custom.colour': 'red,blue' })).toEqual(['A', 'B']);
    expect(await codes({ 'custom.voltage.min': '100' })).toEqual(['A']);
    expect(await codes({ 'custom.checkedOn.to': '2026-12-31' })).toEqual(['A']);
    expect(await codes({ 'custom.isOurs': 'true' })).toEqual(['A']);
    expect(await codes({ 'custom.colour.empty': 'true' })).toEqual(['C']);
    expect(await codes({ sort: 'custom.width' })).toEqual(['A', 'B', 'C']); // as numbers, absent ones last
    expect(await codes({ sort: '-custom.width' })).toEqual(['C', 'B', 'A']);
    const first = await call(tools.list, { query: { sort: 'custom.width', limit: 2 } });
    const rest = await call(tools.list, { query: { sort: 'custom.width', after: first.body.next ?? '' } });
    expect(rest.body.items.map(({ code }) => code)).toEqual(['C']);
  });

  it('keeps values in one writing, and lists go on behind long ones', async () => {
    await define('note', 'text');
    await define('width', 'decimal');
    const note = ' e\u0301  x ';
    const { toolId, custom } = (await create('A', { note, width: '1.50' })).body;
    expect(custom).toEqual({ note: 'é x', width: '1.5' });
    expect(await codes({ 'custom.note': note })).toEqual(['A']);
    const same = await call(tools.change, { params: { toolId }, body: { custom: { width: '1.500' } } });
    expect(same.body.version).toBe(1);
    await create('B', { note: null });
    for (const code of ['C', 'D'])
      await create(code, { note: 'я'.repeat(1_990) + code, width: '9'.repeat(45) });
    for (const sort of ['custom.note', 'custom.width'] as const) {
      const first = await call(tools.list, { query: { sort, limit: 2 } });
      const rest = await call(tools.list, { query: { sort, limit: 2, after: first.body.next ?? '' } });
      const all = [...first.body.items, ...rest.body.items].map(({ code }) => code);
      expect(all).toEqual(['A', 'C', 'D', 'B']);
    }
  });

  it('is part of changes and history', async () => {
    await define('colour', 'choice', { options: ['red', 'blue'] });
    const { toolId } = (await create('A', { colour: 'red' })).body;
    await call(tools.change, { params: { toolId }, body: { custom: { colour: 'blue' } } });
    const cleared = await call(tools.change, { params: { toolId }, body: { custom: { colour: null } } });
    expect(cleared.body).toMatchObject({ custom: {}, version: 3 });
    const { body } = await call(tools.history, { params: { toolId }, query: {} });
    expect(body.items.slice(0, 2).map(({ changes }) => changes)).toEqual([
      [{ field: 'custom.colour', from: 'blue', to: null }],
      [{ field: 'custom.colour', from: 'red', to: 'blue' }],
    ]);
  });

  it.each([
    ['a value that is no choice', { colour: 'green' }, '/custom/colour'],
    ['a number for text', { colour: 1 }, '/custom/colour'],
    ['a field that does not exist', { size: 1 }, '/custom/size'],
    ['a required one that is missing', {}, '/custom/colour'],
  ])('refuses %s, and stores nothing', async (_, custom, pointer) => {
    await define('colour', 'choice', { options: ['red'], isRequired: true });
    const answer = await create('A', custom);
    expect(answer).toBeRefused(MalformedRequest);
    expect(JSON.stringify(answer.json)).toContain(pointer);
    expect(await codes({})).toEqual([]);
  });

  it('is unknown to other organisations, and to everybody once it is archived', async () => {
    const { customFieldId } = (await define('colour', 'text')).body;
    const stranger = { as: tokenFor({ tenantId: newId(), roles: ['admin'] }) };
    const filtered = { query: { 'custom.colour': 'red' } } as const;
    expect(await call(tools.list, filtered, stranger)).toBeRefused(MalformedRequest);
    expect((await call(tools.list, filtered)).status).toBe(200);
    await define('size', 'text');
    const { toolId } = (await create('B', { colour: 'red' })).body;
    await call(customFields.archive, { params: { customFieldId } });
    expect(await call(tools.list, filtered)).toBeRefused(MalformedRequest);
    const changed = await call(tools.change, { params: { toolId }, body: { custom: { size: 'XL' } } });
    expect(changed.body.custom).toEqual({ colour: 'red', size: 'XL' }); // what it had stays
    expect(await create('A', { colour: 'red' })).toBeRefused(MalformedRequest);
  });

  it.each([
    ['record-unknown', { recordName: 'shelf' }],
    ['name-malformed', { name: "x'; drop table tool" }],
    ['name-malformed', { name: 'constructor' }],
    ['options-missing', { kind: 'choice' as const }],
    ['options-superfluous', { options: ['red'] }],
  ])('cannot be added: %s', async (reason, wrong) => {
    expect(await define('colour', 'text', wrong)).toBeRefused(CustomFieldUnfit, { reason });
  });

  it('has a name of its own, and keeps its kind', async () => {
    const { customFieldId } = (await define('colour', 'text')).body;
    expect(await define('colour', 'day')).toBeRefused(KeyTaken);
    const change = { params: { customFieldId }, body: { kind: 'day' as const } };
    expect(await call(customFields.change, change)).toBeRefused(FieldFixed, { fields: ['kind'] });
  });

  it('is one of fifty at most', async () => {
    await Promise.all(Array.from({ length: 49 }, (_, n) => define(`field${n}`, 'text')));
    const answers = await Promise.all(['one', 'two', 'three'].map((name) => define(name, 'text')));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 422, 422]);
  });
});
