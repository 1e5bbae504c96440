import { setTimeout as pause } from 'node:timers/promises';
import {
  Forbidden,
  IdempotencyKeyReused,
  MalformedRequest,
  newId,
  SagaIdReused,
  SagaOver,
  Unauthenticated,
} from '@marimo/contracts';
import type { ServiceClient } from '@marimo/resilience';
import { RefusedByService } from '@marimo/resilience';
import { testTenantId, tokenFor, useService } from '@marimo/testing';
import { until } from '@marimo/testing/outside';
import { contract, main, OutOfStock, reserve, shop, startSale, stock } from '../../test/trade.ts';

/** From one service under test to the other, as the typed client does it. */
const client: Pick<ServiceClient, 'call'> = {
  async call(endpoint, input) {
    const answer = await others.call(endpoint, input, { asService: 'config' });
    if (answer.problem === undefined) return { status: answer.status, body: answer.body } as never;
    throw new RefusedByService('main', 'refused', answer.problem as never);
  },
};
const others = useService(main);
const service = useService(shop, { client });

const annaId = newId();
const anna = { as: tokenFor({ userId: annaId, roles: ['user'] }) };
const administrator = { as: tokenFor() };
beforeEach(() => {
  stock.isEmpty = false;
});

async function sell(text: string, saleId: string = newId()): Promise<string> {
  expect((await service.call(startSale, { body: { saleId, text } }, anna)).status).toBe(202);
  return saleId;
}
const get = async (sagaId: string) =>
  (await service.call(contract.get, { params: { sagaId } }, administrator)).body;
const becomes = (sagaId: string, state: string) => until(async () => (await get(sagaId)).state === state);
const notesOf = async (text: string) => {
  const rows = [
    ...(await others.rows<{ text: string }>('note')),
    ...(await service.rows<{ text: string }>('note')),
  ];
  return rows
    .map((row) => row.text)
    .filter((each) => each.endsWith(text))
    .sort();
};

describe('the sagas of a service', () => {
  it('run over services, in the name of the person who started them', async () => {
    const saleId = await sell('tea');
    await becomes(saleId, 'done');
    expect(await notesOf('tea')).toEqual([
      'reservations paid tea',
      'reservations tea',
      'shipments tea',
      'tea',
    ]);
    const events = [...(await others.events()), ...(await service.events())];
    const ofAnna = events.filter(({ actorid }) => actorid === annaId).map(({ type }) => type);
    expect(ofAnna).toHaveLength(events.length);
    expect(ofAnna).toContain('config.saga-done.v1');
    expect((await get(saleId)).steps.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'reserve done',
      'note done',
      'pay done',
      'ship done',
    ]);
  });

  it('start once for each id, and are refused for other content', async () => {
    const saleId = await sell('coffee');
    await sell('coffee', saleId);
    const other = await service.call(startSale, { body: { saleId, text: 'more' } }, anna);
    expect(other.problem).toMatchObject({ code: SagaIdReused.definition.code, sagaId: saleId });
    await becomes(saleId, 'done');
    expect(await notesOf('coffee')).toHaveLength(4);
  });

  it('are seen, retried and given up by those who may, in their own organisation', async () => {
    stock.isEmpty = true;
    const sagaId = await sell('milk');
    await becomes(sagaId, 'stuck');
    expect(await get(sagaId)).toMatchObject({
      needs: { who: 'person', name: 'config.saga.manage' },
      problem: { step: 'ship', code: OutOfStock.definition.code },
    });
    const params = { sagaId };
    const body = { reason: 'sold out' };
    const stranger = { as: tokenFor({ tenantId: newId() }) };
    expect(await service.call(contract.list, { query: {} }, anna)).toBeRefused(Forbidden, {
      permission: 'config.saga.read',
    });
    expect(await service.call(contract.giveUp, { params, body }, anna)).toBeRefused(Forbidden, {
      permission: 'config.saga.manage',
    });
    expect((await service.call(contract.get, { params }, stranger)).status).toBe(404);
    expect((await service.call(contract.retry, { params }, stranger)).status).toBe(404);
    expect((await service.call(contract.list, { query: {} }, stranger)).body.items).toEqual([]);

    stock.isEmpty = false;
    await service.call(contract.retry, { params }, administrator);
    await becomes(sagaId, 'done');
    await service.refusedStoringNothing(contract.giveUp, { params, body }, SagaOver, {
      facts: { state: 'done' },
      ...administrator,
    });
  });

  it('are given up once, whatever is retried and given up at the same moment', async () => {
    stock.isEmpty = true;
    const sagaId = await sell('salt');
    await becomes(sagaId, 'stuck');
    const params = { sagaId };
    const asked = Array.from({ length: 12 }, (_, n) =>
      n % 2 === 0
        ? service.call(contract.retry, { params }, administrator)
        : service.call(contract.giveUp, { params, body: { reason: `reason ${n}` } }, administrator),
    );
    const statuses = new Set((await Promise.all(asked)).map(({ status }) => status));
    expect([...statuses].filter((status) => ![200, 409].includes(status))).toEqual([]);
    await becomes(sagaId, 'given-up');
    const events = (await service.events()).filter(({ subject }) => subject === sagaId);
    const ofType = (type: string) => events.filter((event) => event.type === `config.${type}.v1`);
    expect(ofType('saga-done')).toEqual([]);
    const { giveUpReason: reason } = await get(sagaId);
    expect(ofType('saga-given-up')).toMatchObject([{ data: { reason } }]);
    expect(await notesOf('salt')).not.toContain('shipments salt');
  });

  it('keep who gave them up and why, also for the audit', async () => {
    stock.isEmpty = true;
    const sagaId = await sell('rice');
    await becomes(sagaId, 'stuck');
    const input = { params: { sagaId }, body: { reason: 'the customer has left' }, idempotencyKey: newId() };
    await service.call(contract.giveUp, input, administrator);
    await becomes(sagaId, 'given-up');
    const { givenUpBy, giveUpReason } = await get(sagaId);
    expect(giveUpReason).toBe('the customer has left');
    const [event] = await service.eventsOf({ type: 'config.saga-given-up.v1' } as never, { subject: sagaId });
    expect(event).toMatchObject({ actorid: givenUpBy, data: { reason: 'the customer has left', givenUpBy } });
    expect((await service.call(contract.giveUp, input, administrator)).status).toBe(200); // the same answer again
  });

  it('are listed newest first, page by page, by state', async () => {
    const ids = [await sell('a'), await sell('b'), await sell('c')];
    for (const id of ids) await becomes(id, 'done');
    const query = { limit: 2, state: 'running,done' };
    const first = (await service.call(contract.list, { query }, administrator)).body;
    const second = (
      await service.call(contract.list, { query: { ...query, after: first.next ?? '' } }, administrator)
    ).body;
    const listed = [...first.items, ...second.items].map(({ sagaId }) => sagaId);
    expect(listed.slice(0, 3)).toEqual(ids.toReversed());
  });
});

describe('a command of another service', () => {
  const body = { text: 'sugar' };
  const asService = { asService: 'config' } as const;
  const organisationId = testTenantId;

  it('is answered alike for its key, kept apart from the same key of another service or author', async () => {
    const idempotencyKey = newId();
    const send = (authorId: string, by: 'config' | 'shop' = 'config') =>
      others.call(reserve, { body, organisationId, authorId, idempotencyKey }, { asService: by });
    const first = await send(annaId);
    expect((await send(annaId)).json).toEqual(first.json);
    expect((await send(annaId, 'shop')).json).not.toEqual(first.json);
    expect((await send(newId())).json).not.toEqual(first.json);
    const other = { body: { text: 'salt' }, organisationId, authorId: annaId, idempotencyKey };
    expect(await others.call(reserve, other, asService)).toBeRefused(IdempotencyKeyReused);
  });

  it('names its author beside the token of the service, and nobody where it says nothing', async () => {
    const input = { body, organisationId };
    const named = await others.call(reserve, { ...input, authorId: annaId }, asService);
    expect(named.json).toMatchObject({ authorId: annaId });
    expect((await others.call(reserve, input, asService)).json).toMatchObject({ authorId: null });
    const odd = await others.call(reserve, { ...input, authorId: "' or 1=1" }, asService);
    expect(odd).toBeRefused(MalformedRequest);
  });

  it('is not open to a person, whoever they claim to be', async () => {
    const asPerson = await others.call(reserve, { body, organisationId, authorId: annaId }, administrator);
    expect(asPerson).toBeRefused(Unauthenticated);
    const asNobody = await others.call(reserve, { body, organisationId, authorId: annaId }, { as: null });
    expect(asNobody).toBeRefused(Unauthenticated);
  });

  it('gives a person who names another as author no other name', async () => {
    const saleId = newId();
    const input = { body: { saleId, text: 'salt' }, authorId: newId() };
    await service.call(startSale, input, anna);
    await becomes(saleId, 'done');
    expect(await get(saleId)).toMatchObject({ startedBy: annaId });
  });
});

describe('a service that is started without its background', () => {
  const quiet = useService(shop, { client, background: false });

  it('does no step of a saga', async () => {
    const sagaId = newId();
    await quiet.call(startSale, { body: { saleId: sagaId, text: 'tea' } }, anna);
    await pause(300);
    const { state, steps } = (await quiet.call(contract.get, { params: { sagaId } }, administrator)).body;
    expect([state, steps.map((step) => step.state)]).toEqual(['running', steps.map(() => 'waiting')]);
  });
});
