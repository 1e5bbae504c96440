import { Forbidden, newId, ReferenceUnknown, Unauthenticated, Unavailable } from '@marimo/contracts';
import { organisations } from '@marimo/contracts/users';
import { Money } from '@marimo/measures';
import { tokenFor } from '@marimo/testing';
import { until } from '@marimo/testing/outside';
import { differencesFromMirrorTable, partnerMirror, partners, tools } from '@marimo/testing/records';
import { useTwoServices } from '../test/two-services.ts';
import { copiesOf, mirrorOf, rebuildMirror } from './index.ts';

const two = useTwoServices();

/** An organisation of its own for each test. */
let tenantId: string;
let as: string;
beforeEach(() => {
  two.isAway = false;
  two.asked.length = 0;
  tenantId = newId();
  as = tokenFor({ tenantId, roles: ['admin'] });
});

const createPartner = async (body: object = {}) =>
  (await two.main.call(partners.create, { body: { code: 'P-1', name: 'Завод', ...body } }, { as })).body;
const changePartner = async (partnerId: string, body: object) =>
  (await two.main.call(partners.change, { params: { partnerId }, body }, { as })).body;
const archivePartner = (partnerId: string) =>
  two.main.call(partners.archive, { params: { partnerId } }, { as });
const createTool = (supplierId: string, code = 'D-1') =>
  two.config.call(tools.create, { body: { code, name: 'Дрель', kind: 'power', supplierId } }, { as });
const tellAll = async () => two.deliver(await two.eventsOf(tenantId));

interface Row {
  readonly tenant_id: string;
  readonly partner_id: string;
  readonly name: string;
  readonly contact_email: string | null;
  readonly state: string;
  readonly version: number;
}
const mirrored = async () =>
  (await two.config.rows<Row>('partner_mirror')).filter((row) => row.tenant_id === tenantId);
const standing = async () =>
  (
    await two.config.rows<{ tenant_id: string; state: string; compared_to: Date | null }>('mirror_standing')
  ).find((row) => row.tenant_id === tenantId);
const untilFilled = () => until(async () => (await standing())?.state === 'filled');
/** As time would, or a process that was away for so long. */
const afterDays = (days: number) =>
  two.config.database.sql(
    `update mirror_standing
     set due_at = now(), compared_to = compared_to - $2 * interval '1 day' where tenant_id = $1`,
    [tenantId, days],
  );

const copies = () => copiesOf(partnerMirror, { client: two.client, database: two.config.database.database });
const inTenant: typeof two.config.database.database.inTenant = (...given) =>
  two.config.database.database.inTenant(...given);

describe('the table of a mirror', () => {
  it('has the columns of its declaration; one that differs is told', async () => {
    const { sql } = two.config.database;
    expect(await differencesFromMirrorTable(partnerMirror, 'config', sql)).toEqual([]);
    const another = mirrorOf(partners, { fields: ['name', 'notes'], table: 'partner_mirror' });
    expect(await differencesFromMirrorTable(another, 'config', sql)).toEqual([
      'partner_mirror.notes is missing',
    ]);
  });
});

describe('the originals', () => {
  it('are listed for the services that the contract names, and for nobody else', async () => {
    const { partnerId } = await createPartner({ notes: 'not for everybody' });
    const question = { organisationId: tenantId, query: { fields: 'name' } };
    const answer = await two.main.call(partners.mirror, question, { asService: 'config' });
    expect(answer.json).toMatchObject({ items: [{ partnerId, name: 'Завод', version: 1 }], next: null });
    expect(answer.json).not.toHaveProperty('items.0.notes');
    expect(await two.main.call(partners.mirror, question, { asService: 'shop' })).toBeRefused(Forbidden);
    expect(await two.main.call(partners.mirror, question, { as })).toBeRefused(Unauthenticated);
  });
});

describe('a mirror that is fed by events', () => {
  it('keeps the fields it needs, and follows changes, states and archiving', async () => {
    const creditLimit = { amount: '500.00', currency: 'RUB' };
    const { partnerId } = await createPartner({ contactEmail: 'ivan@example.com', creditLimit });
    await tellAll();
    const [copy] = await inTenant(tenantId, (tx) =>
      copies()
        .get(tx, [partnerId])
        .then((all) => [...all.values()]),
    );
    expect(copy).toEqual({
      partnerId,
      code: 'P-1',
      name: 'Завод',
      contactEmail: 'ivan@example.com',
      creditLimit: Money.parse('500.00', 'RUB'),
      state: 'active',
      archived: false,
      version: 1,
    });
    await changePartner(partnerId, { name: 'Завод № 2' });
    await two.main.call(partners.block, { params: { partnerId } }, { as });
    await archivePartner(partnerId);
    await tellAll();
    expect(await mirrored()).toMatchObject([
      { name: 'Завод № 2', state: 'blocked', archived: true, version: 4 },
    ]);
  });

  it('keeps the newest, whatever arrives late, twice or in another order', async () => {
    const { partnerId } = await createPartner();
    await changePartner(partnerId, { name: 'Второе имя' });
    await changePartner(partnerId, { name: 'Третье имя' });
    const told = await two.eventsOf(tenantId);
    const again = told.map((envelope) => ({ ...envelope, id: newId() }));
    await two.deliver([...told.toReversed(), ...again, ...told]);
    expect(await mirrored()).toMatchObject([{ name: 'Третье имя', version: 3 }]);
  });
});

describe('a reference to a record of another service', () => {
  it('is answered by the mirror, without a call', async () => {
    const { partnerId } = await createPartner();
    await tellAll();
    await untilFilled();
    two.isAway = true;
    expect((await createTool(partnerId)).body.supplierId).toBe(partnerId);
  });

  it('that the mirror does not know yet is looked up, and known from then on', async () => {
    const { partnerId } = await createPartner();
    expect((await createTool(partnerId)).status).toBe(201);
    expect(two.asked).toContainEqual(expect.objectContaining({ ids: partnerId }));
    expect(await mirrored()).toMatchObject([{ partner_id: partnerId, name: 'Завод' }]);
    two.isAway = true;
    expect((await createTool(partnerId, 'D-2')).status).toBe(201);
  });

  it('that nobody knows is refused', async () => {
    const id = newId();
    expect(await createTool(id)).toBeRefused(ReferenceUnknown, {
      field: 'supplierId',
      id,
      isArchived: false,
    });
  });

  it('is refused as unavailable while the other service is away, and nothing is stored', async () => {
    const { partnerId } = await createPartner();
    two.isAway = true;
    expect(await createTool(partnerId)).toBeRefused(Unavailable, { service: 'main' });
    expect(await mirrored()).toEqual([]);
    const stored = await two.config.rows<{ tenant_id: string }>('tool');
    expect(stored.filter((row) => row.tenant_id === tenantId)).toEqual([]);
    two.isAway = false;
    expect((await createTool(partnerId)).status).toBe(201);
  });

  it('is refused when the record is archived, unless it has just been restored', async () => {
    const { partnerId } = await createPartner();
    await archivePartner(partnerId);
    await tellAll();
    const archived = { field: 'supplierId', id: partnerId, isArchived: true };
    expect(await createTool(partnerId)).toBeRefused(ReferenceUnknown, archived);
    two.isAway = true;
    expect(await createTool(partnerId)).toBeRefused(ReferenceUnknown, archived);
    two.isAway = false;
    await two.main.call(partners.restore, { params: { partnerId } }, { as });
    expect((await createTool(partnerId)).status).toBe(201);
  });

  it('to a record of another organisation is unknown, also when its mirror has it', async () => {
    const { partnerId } = await createPartner();
    await tellAll();
    tenantId = newId();
    as = tokenFor({ tenantId, roles: ['admin'] });
    expect(await createTool(partnerId)).toBeRefused(ReferenceUnknown, { id: partnerId });
    expect(await mirrored()).toEqual([]);
  });
});

describe('a mirror that nothing was told', () => {
  it('is filled once somebody needs it, and lists nothing before it has all', async () => {
    for (const code of ['P-1', 'P-2', 'P-3']) await createPartner({ code, name: code });
    const list = () => inTenant(tenantId, (tx) => copies().list(tx, { limit: 2 }));
    await expect(list()).rejects.toThrow(Unavailable);
    await untilFilled();
    const first = await list();
    const after = first.at(-1)?.partnerId;
    const rest = await inTenant(tenantId, (tx) => copies().list(tx, { after, limit: 2 }));
    expect([...first, ...rest].map(({ name }) => name)).toEqual(['P-1', 'P-2', 'P-3']);
  });

  it('tries again while the other service is away', async () => {
    await createPartner();
    two.isAway = true;
    await expect(inTenant(tenantId, (tx) => copies().list(tx, { limit: 1 }))).rejects.toThrow(Unavailable);
    const failures = `select failures from mirror_standing where tenant_id = $1 and failures > 0`;
    await until(async () => (await two.config.database.sql(failures, [tenantId])).length > 0);
    two.isAway = false;
    await untilFilled();
    expect(await mirrored()).toHaveLength(1);
  });

  it('catches up after days without events, by asking for what was changed since', async () => {
    const old = await createPartner();
    await createTool(old.partnerId);
    await untilFilled();
    const { partnerId } = await createPartner({ code: 'P-2' }); // its events are lost
    await changePartner(old.partnerId, { name: 'Новое имя' });
    two.asked.length = 0;
    await afterDays(3);
    await until(async () => (await mirrored()).length === 2);
    expect(await mirrored()).toMatchObject([{ name: 'Новое имя', version: 2 }, { partner_id: partnerId }]);
    const { changedFrom } = two.asked.find((query) => query.changedFrom) ?? {};
    expect(Date.parse(changedFrom ?? '')).toBeLessThan(Date.now() - 3 * 24 * 3_600_000);
  });
});

describe('rebuilding a mirror', () => {
  it('writes what differs, and removes what has no original, while events go on', async () => {
    const { partnerId } = await createPartner();
    await createTool(partnerId);
    await untilFilled();
    const { sql, relay } = two.config.database;
    await sql(`update partner_mirror set name = 'falsch' where tenant_id = $1`, [tenantId]);
    const lost = partners.partnerWith({ partnerId: newId() });
    await two.config.deliver(partners.created, { tenantId, data: lost }); // nobody has it any more
    expect(await rebuildMirror(relay, 'main.partner', tenantId)).toBe(1);
    const { partnerId: added } = await createPartner({ code: 'P-2' });
    await tellAll();
    await until(async () => (await standing())?.compared_to);
    const rows = await mirrored();
    expect(rows.map((row) => row.partner_id).toSorted()).toEqual([partnerId, added].toSorted());
    expect(rows.find((row) => row.partner_id === partnerId)?.name).toBe('Завод');
  });
});

describe('erasing', () => {
  it('follows the original: what was personal goes, and no older event brings it back', async () => {
    const { partnerId } = await createPartner({ contactEmail: 'ivan@example.com' });
    const earlier = await two.eventsOf(tenantId);
    await two.deliver(earlier);
    await changePartner(partnerId, { contactEmail: null });
    await tellAll();
    await two.deliver(earlier.map((envelope) => ({ ...envelope, id: newId() })));
    expect(await mirrored()).toMatchObject([{ contact_email: null, version: 2 }]);
  });

  it('empties the mirror of an organisation that has been closed, for good', async () => {
    const { partnerId } = await createPartner();
    await tellAll();
    await untilFilled();
    await two.config.deliver(organisations.closed, { tenantId, data: closedOrganisation(tenantId) });
    expect(await mirrored()).toEqual([]);
    await changePartner(partnerId, { name: 'Позже' });
    await tellAll();
    expect(await rebuildMirror(two.config.database.relay, 'main.partner', tenantId)).toBe(0);
    expect(await mirrored()).toEqual([]);
  });
});

function closedOrganisation(id: string): organisations.OrganisationSettings {
  return organisations.OrganisationSettings.parse({
    id,
    name: 'Завод',
    baseCurrency: 'RUB',
    language: 'ru',
    timeZone: 'Europe/Moscow',
    state: 'closed',
    requireSecondFactor: false,
    strictSeparation: false,
    closesAt: '2026-03-01T00:00:00Z',
  });
}
