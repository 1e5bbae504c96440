import {
  Absent,
  FieldFixed,
  Forbidden,
  KeyTaken,
  MalformedRequest,
  newId,
  RecordIdReused,
  ReferenceUnknown,
  Stale,
  StateUnfit,
} from '@marimo/contracts';
import { Money, Quantity } from '@marimo/measures';
import { tokenFor, useService } from '@marimo/testing';
import { partners, shelves, toolService, tools } from '@marimo/testing/records';

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

const drill = { code: 'D-100', name: 'Дрель ударная', kind: 'power' } as const;
const createTool = async (body: Parameters<typeof bodyOf>[0] = drill) =>
  (await call(tools.create, { body: bodyOf(body) })).body;
const bodyOf = (given: Partial<typeof full>) => ({ ...drill, ...given });
const full = {
  toolId: newId(),
  code: 'D-100' as string,
  name: 'Дрель' as string,
  notes: 'First line\nsecond line',
  kind: 'power' as 'hand' | 'power' | 'gauge',
  boughtOn: '2026-03-01',
  lastUsedAt: '2026-03-02T10:00:00+03:00',
  isLent: true,
  pieces: 3,
  lengthMetres: '0.350',
  price: { amount: '12500.00', currency: 'RUB' },
  stock: { value: '3.5', unit: 'KGM' },
  wearPercent: '12.5',
  keeperName: 'Anna',
  keeperEmail: 'anna@example.com',
  keeperPhone: '+7 495 123-45-67',
  keptAt: { country: 'RU', city: 'Москва' },
  tags: ['blue', 'new', 'blue'],
  parts: [{ name: 'Chuck' }, { name: 'Handle', count: 2, cost: { amount: '10.00', currency: 'EUR' } }],
};

describe('creating a record', () => {
  it('keeps a value of every kind, and gives it back', async () => {
    const shelf = (await call(shelves.create, { body: { code: 'A1', name: 'First' } })).body;
    const supplier = partners.partnerWith();
    const supplierId = supplier.partnerId;
    await service.deliver(partners.created, { tenantId, data: supplier });
    const body = { ...full, toolId: newId(), shelfId: shelf.shelfId, supplierId };
    const answer = await call(tools.create, { body });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.body).toMatchObject({
      code: 'D-100',
      notes: 'First line\nsecond line',
      boughtOn: '2026-03-01',
      lastUsedAt: new Date('2026-03-02T07:00:00Z'),
      lengthMetres: '0.35',
      price: Money.parse('12500.00', 'RUB'),
      stock: Quantity.parse('3.5', 'KGM'),
      keptAt: { country: 'RU', city: 'Москва', street: null },
      tags: ['blue', 'new'],
      parts: [
        { name: 'Chuck', count: 1, cost: null },
        { name: 'Handle', count: 2 },
      ],
      state: 'new',
      archived: false,
      version: 1,
      custom: {},
    });
    const read = await call(tools.get, { params: { toolId: body.toolId } });
    expect(read.json).toEqual(answer.json);
    expect((await service.events()).filter(({ subject }) => subject === body.toolId)).toMatchObject([
      { type: tools.created.type, data: { code: 'D-100' } },
    ]);
  });

  it('can be repeated with the same id, and refuses that id with other content', async () => {
    const body = { ...drill, toolId: newId() };
    const first = await call(tools.create, { body });
    const again = await call(tools.create, { body });
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.json).toEqual(first.json);
    const other = await call(tools.create, { body: { ...body, name: 'Other' } });
    expect(other).toBeRefused(RecordIdReused, { id: body.toolId });
  });

  it('creates one when five ask for the same at the same moment', async () => {
    const body = { ...drill, toolId: newId() };
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => call(tools.create, { body })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 200, 201]);
  });

  it('refuses a key that another has, and names it', async () => {
    const { toolId } = await createTool();
    const answer = await call(tools.create, { body: drill });
    expect(answer).toBeRefused(KeyTaken, { fields: ['code'], id: toolId });
    await createTool({ code: 'D-101', keeperEmail: 'anna@example.com' });
    const second = await call(tools.create, {
      body: bodyOf({ code: 'D-102', keeperEmail: 'anna@example.com' }),
    });
    expect(second).toBeRefused(KeyTaken, { fields: ['keeperEmail'] });
  });

  it('refuses a reference to what does not exist, is archived, or belongs to another organisation', async () => {
    const unknown = newId();
    const body = { ...drill, shelfId: unknown };
    expect(await call(tools.create, { body })).toBeRefused(ReferenceUnknown, {
      field: 'shelfId',
      id: unknown,
    });
    const shelf = (await call(shelves.create, { body: { code: 'A1', name: 'First' } })).body;
    await call(shelves.archive, { params: { shelfId: shelf.shelfId } });
    const archived = await call(tools.create, { body: { ...drill, shelfId: shelf.shelfId } });
    expect(archived).toBeRefused(ReferenceUnknown, { field: 'shelfId', isArchived: true });
    const elsewhere = await call(
      tools.create,
      { body: { ...drill, shelfId: shelf.shelfId } },
      { as: tokenFor({ tenantId: newId(), roles: ['admin'] }) },
    );
    expect(elsewhere).toBeRefused(ReferenceUnknown, { isArchived: false });
  });

  it.each([
    ['a number for money', { price: { amount: 1, currency: 'RUB' } }],
    ['a day that does not exist', { boughtOn: '2026-02-30' }],
    ['an unknown choice', { kind: 'laser' }],
    ['more decimals than it has', { lengthMetres: '0.1234' }],
    ['a field that it does not have', { colour: 'red' }],
    ['a tag with a comma', { tags: ['a,b'] }],
    ['a line without its name', { parts: [{}] }],
    ['two lines with one id', { parts: [1, 2].map(() => ({ lineId: full.toolId, name: 'Chuck' })) }],
    ['an instant that no calendar has', { lastUsedAt: '0000-01-01T00:00:00Z' }],
    ['an instant after the year 9999', { lastUsedAt: '9999-12-31T23:59:59-14:00' }],
    ['no telephone', { keeperPhone: 'call me' }],
  ])('refuses %s', async (_, wrong) => {
    const body = { ...drill, ...wrong } as never;
    expect(await call(tools.create, { body })).toBeRefused(MalformedRequest);
    expect((await call(tools.list, { query: {} })).body.items).toEqual([]);
  });

  it('is for those who may', async () => {
    const user = tokenFor({ tenantId, roles: ['user'] });
    expect(await call(tools.create, { body: drill }, { as: user })).toBeRefused(Forbidden, {
      permission: 'config.tool.create',
    });
  });
});

describe('changing a record', () => {
  it('writes what was given, with a new version, one event and its history', async () => {
    const { toolId } = await createTool({ keeperName: 'Anna' });
    const answer = await call(
      tools.change,
      {
        params: { toolId },
        body: { name: 'Перфоратор', price: { amount: '5.00', currency: 'RUB' }, keeperName: 'Boris' },
      },
      { headers: { 'if-match': '"1"' } },
    );
    expect(answer.body).toMatchObject({ name: 'Перфоратор', code: 'D-100', version: 2 });
    const { body } = await call(tools.history, { params: { toolId }, query: {} });
    expect(body.items.map(({ action, version }) => [action, version])).toEqual([
      ['changed', 2],
      ['created', 1],
    ]);
    expect(body.items[0]?.changes).toEqual([
      { field: 'name', from: 'Дрель ударная', to: 'Перфоратор' },
      { field: 'price', from: null, to: { amount: '5.00', currency: 'RUB' } },
      { field: 'keeperName' }, // personal: that it changed, and not to what
    ]);
  });

  it('refuses a change of what somebody else has changed since, and says who changed which fields', async () => {
    const { toolId } = await createTool();
    const boris = newId();
    const other = tokenFor({ tenantId, userId: boris, roles: ['admin'] });
    await call(tools.change, { params: { toolId }, body: { name: 'Дрель' } }, { as: other });
    const answer = await call(
      tools.change,
      { params: { toolId }, body: { pieces: 2 } },
      { headers: { 'if-match': '"1"' } },
    );
    expect(answer).toBeRefused(Stale, { etag: '"2"' });
    expect(answer.json).toMatchObject({ changes: [{ version: 2, by: boris, fields: ['name'] }] });
  });

  it('changes nothing and tells nobody when nothing is different', async () => {
    const { toolId } = await createTool({ lengthMetres: '0.35' });
    const { body } = await call(tools.change, {
      params: { toolId },
      body: { name: drill.name, lengthMetres: '0.350' },
    });
    expect(body.version).toBe(1);
    expect((await service.events()).filter(({ subject }) => subject === toolId)).toHaveLength(1);
  });

  it('replaces lines as a whole, and keeps the ids of those that stay', async () => {
    const { toolId, parts } = await createTool({ parts: full.parts });
    const [chuck] = parts;
    const body = { parts: [{ name: 'Key' }, { ...chuck!, cost: null, count: 5 }] };
    const answer = await call(tools.change, { params: { toolId }, body });
    expect(answer.body.parts).toMatchObject([{ name: 'Key' }, { lineId: chuck!.lineId, count: 5 }]);
    expect((await call(tools.get, { params: { toolId } })).body.parts).toEqual(answer.body.parts);
  });

  it('is read with the lines that it had', async () => {
    const cost = { amount: '1.00', currency: 'RUB' };
    const parts = (count: number) => [{ name: 'Chuck', count, cost }];
    const { toolId } = await createTool({ pieces: 1, parts: parts(1) });
    const seen: unknown[] = [];
    const write = async () => {
      for (let pieces = 2; pieces < 40; pieces += 1)
        await call(tools.change, { params: { toolId }, body: { pieces, parts: parts(pieces) } });
    };
    const written = write().then(() => seen.push('end'));
    while (seen.at(-1) !== 'end') {
      const { body } = await call(tools.get, { params: { toolId } });
      if (body.parts[0]?.count !== body.pieces) seen.unshift(body);
    }
    await written;
    expect(seen).toEqual(['end']);
  });

  it('refuses to change a field that is fixed, for ever or in its state', async () => {
    const { toolId } = await createTool();
    const supplier = { params: { toolId }, body: { supplierId: newId() } };
    expect(await call(tools.change, supplier)).toBeRefused(FieldFixed, {
      fields: ['supplierId'],
      state: null,
    });
    await call(tools.release, { params: { toolId } });
    const code = { params: { toolId }, body: { code: 'X' } };
    expect(await call(tools.change, code)).toBeRefused(FieldFixed, { fields: ['code'], state: 'inUse' });
  });

  it('moves from state to state by its transitions, each with its event', async () => {
    const { toolId } = await createTool();
    expect((await call(tools.release, { params: { toolId } })).body.state).toBe('inUse');
    expect(await call(tools.release, { params: { toolId } })).toBeRefused(StateUnfit, {
      state: 'inUse',
      states: ['new'],
    });
    const retired = await call(tools.retire, { params: { toolId }, body: { reason: 'worn out' } });
    expect(retired.body).toMatchObject({ state: 'retired', version: 3 });
    const { body } = await call(tools.history, { params: { toolId }, query: { limit: 1 } });
    expect(body.items).toMatchObject([{ action: 'retire', told: { reason: 'worn out' } }]);
    const types = (await service.events())
      .filter(({ subject }) => subject === toolId)
      .map(({ type }) => type);
    expect(types).toEqual([tools.created.type, tools.released.type, tools.retired.type]);
  });

  it('is not possible while it is archived, and is again when it is restored', async () => {
    const { toolId } = await createTool();
    await call(tools.archive, { params: { toolId } });
    const rename = { params: { toolId }, body: { name: 'Дрель' } };
    expect((await call(tools.change, rename)).status).toBe(409);
    await call(tools.restore, { params: { toolId } });
    expect((await call(tools.change, rename)).body.version).toBe(4);
  });

  it('finds nothing of another organisation', async () => {
    const { toolId } = await createTool();
    const stranger = { as: tokenFor({ tenantId: newId(), roles: ['admin'] }) };
    expect(await call(tools.get, { params: { toolId } }, stranger)).toBeRefused(Absent);
    expect(await call(tools.change, { params: { toolId }, body: { name: 'x' } }, stranger)).toBeRefused(
      Absent,
    );
    expect(await call(tools.history, { params: { toolId }, query: {} }, stranger)).toBeRefused(Absent);
  });
});

describe('a change of many', () => {
  it('is done or refused for each by itself', async () => {
    const [one, two] = [await createTool(), await createTool({ code: 'D-101' })];
    await call(tools.change, { params: { toolId: two.toolId }, body: { pieces: 2 } });
    const missing = newId();
    const body = {
      action: 'change',
      items: [{ id: one.toolId, version: 1 }, { id: two.toolId, version: 1 }, { id: missing }],
      change: { tags: ['checked'] },
    };
    const { body: answer } = await call(tools.bulk, { body });
    expect(answer.results).toMatchObject([
      { id: one.toolId, outcome: 'done', version: 2 },
      { id: two.toolId, outcome: 'refused', problem: { code: 'platform.stale' } },
      { id: missing, outcome: 'refused', problem: { code: 'platform.absent' } },
    ]);
    expect((await call(tools.list, { query: { tags: 'checked' } })).body.items).toHaveLength(1);
  });

  it('names each record once, and no version that cannot be', async () => {
    const { toolId: id } = await createTool();
    for (const items of [[{ id }, { id }], [{ id, version: 2 ** 31 }]])
      expect(await call(tools.bulk, { body: { action: 'release', items } })).toBeRefused(MalformedRequest);
    const after = Buffer.from(JSON.stringify([2 ** 31])).toString('base64url');
    const history = await call(tools.history, { params: { toolId: id }, query: { after } });
    expect(history).toBeRefused(MalformedRequest);
  });

  it('runs a transition with the permission and the words that the transition wants', async () => {
    const { toolId } = await createTool();
    const items = [{ id: toolId }];
    expect(await call(tools.bulk, { body: { action: 'retire', items } })).toBeRefused(MalformedRequest);
    const retire = { action: 'retire', items, with: { reason: 'lost' } };
    expect((await call(tools.bulk, { body: retire })).body.results).toMatchObject([{ outcome: 'done' }]);
    expect(await call(tools.bulk, { body: { action: 'delete', items } })).toBeRefused(MalformedRequest);
  });
});
