import { endpoint, event, Forbidden, newId } from '@marimo/contracts';
import { consumer } from '@marimo/messaging';
import type { Transaction } from '@marimo/postgres';
import { refusal } from '@marimo/problems';
import { type Deps, defineService, handle, reply } from '@marimo/service-kit';
import { z } from 'zod';
import { testTenantId, tokenFor } from './tokens.ts';
import { useService } from './use-service.ts';

class TooLoud extends refusal(z.object({ decibels: z.int(), place: z.string() }), {
  code: 'chat.too-loud',
  kind: 'refused',
  title: 'Too loud',
  detail: ({ decibels }) => `${decibels} is too much.`,
}) {}
const bellRung = event('chat.bell-rung.v1', z.strictObject({ times: z.int() }));

const ask = (path: string, replies: { readonly [status: number]: z.ZodType }) =>
  endpoint({ method: 'GET', path: `/api/v1/chat/${path}`, summary: '', access: 'signed-in', replies });
const asContracted = ask('good', { 200: z.strictObject({ at: z.iso.date() }) });
const withMore = ask('more', { 200: z.strictObject({ at: z.iso.date() }) });
const withOther = ask('other', { 201: z.any() });
const refused = ask('refused', { 200: z.any() });
const failing = ask('failing', { 200: z.any() });

const command = (path: string) =>
  endpoint({
    method: 'POST',
    path: `/api/v1/chat/${path}`,
    summary: '',
    access: 'signed-in',
    repeat: 'natural',
    body: z.strictObject({ id: z.uuid() }),
    replies: { 200: z.strictObject({ id: z.uuid() }) },
  });
const hangBell = command('hung-bells');
const hangAnother = command('more-hung-bells');
const refuseButHang = command('refused-bells');
const refuseButTell = command('told-bells');
const refuseBell = command('forbidden-bells');
const bellHung = event('chat.bell-hung.v1', z.strictObject({}));
const tooLoud = new TooLoud({ decibels: 120, place: 'tower' });
const hang = (tx: Transaction, id: string) =>
  tx.rows('insert into bell (tenant_id, id) values ($1, $2) on conflict do nothing returning id', [
    tx.tenantId,
    id,
  ]);

const heard: string[] = [];
const bells = consumer<Deps, typeof bellRung>({
  name: 'count the bells',
  queue: 'bells_queue',
  events: [bellRung],
  async handle(tx, { data }) {
    if (data.times > 9) throw new Error('enough');
    heard.push(`${tx.tenantId} ${data.times}`);
  },
});
const chat = defineService({
  name: 'chat',
  migrations: new URL('../test/migrations/', import.meta.url),
  consumers: [bells],
  routes: [
    () => [
      handle(asContracted, async () => reply(200, { at: '2026-01-31' })),
      handle(withMore, async () => reply(200, { at: '2026-01-31', password: 'x' })),
      handle(withOther, async () => reply(200, {}) as never),
      handle(refused, async () => {
        throw new TooLoud({ decibels: 120, place: 'hall' });
      }),
      handle(failing, async () => {
        throw new Error('broken');
      }),
    ],
    ({ outbox }) => [
      handle(hangBell, (call) =>
        call.inTenant(async (tx) => {
          const isNew = (await hang(tx, call.body.id)).length === 1;
          if (isNew) await outbox.add(tx, bellHung, call.body.id, {});
          return reply(200, call.body);
        }),
      ),
      handle(hangAnother, async (call) => {
        await call.inTenant((tx) => hang(tx, newId()));
        return reply(200, call.body);
      }),
      handle(refuseButHang, async (call) => {
        await call.inTenant((tx) => hang(tx, call.body.id));
        throw tooLoud;
      }),
      handle(refuseButTell, async (call) => {
        await call.inTenant((tx) => outbox.add(tx, bellHung, call.body.id, {}));
        throw tooLoud;
      }),
      handle(refuseBell, (call) =>
        call.inTenant(async (tx) => {
          await hang(tx, call.body.id);
          throw tooLoud;
        }),
      ),
    ],
  ],
});

const service = useService(chat);

describe('an answer', () => {
  it('is typed and parsed by its contract', async () => {
    const answer = await service.call(asContracted, {});
    expect([answer.status, answer.body]).toEqual([200, { at: '2026-01-31' }]);
    expect(answer.problem).toBeUndefined();
  });

  it('fails the test when it says more than the contract, or has another status', async () => {
    await expect(service.call(withMore, {})).rejects.toThrow(/contract does not allow.*password/s);
    await expect(service.call(withOther, {})).rejects.toThrow(
      /answered 200, which its contract does not list/,
    );
  });

  it('shows the refusal to who asks for a body', async () => {
    const answer = await service.call(refused, {});
    expect(() => answer.body).toThrow(/was refused.*chat.too-loud/);
  });
});

describe('toBeRefused', () => {
  it('holds for that refusal with those facts, and no other', async () => {
    const answer = await service.call(refused, {});
    expect(answer).toBeRefused(TooLoud);
    expect(answer).toBeRefused(TooLoud, { decibels: 120 });
    expect(answer).not.toBeRefused(Forbidden);
    expect(() => expect(answer).toBeRefused(TooLoud, { decibels: 1 })).toThrow(/but the answer was 422/);
    const good = await service.call(asContracted, {});
    expect(() => expect(good).toBeRefused(TooLoud)).toThrow(/but the answer was 200/);
    expect(await service.call(failing, {})).not.toBeRefused(TooLoud);
  });
});

describe('calls', () => {
  it("are an administrator's unless the test says otherwise", async () => {
    expect((await service.call(asContracted, {})).status).toBe(200);
    expect((await service.call(asContracted, {}, { as: tokenFor({ roles: [] }) })).status).toBe(200);
    expect((await service.call(asContracted, {}, { as: null })).problem?.status).toBe(401);
  });
});

describe('a delivered event', () => {
  it('has its effect once, in its tenant', async () => {
    const tenantId = '01920000-0000-7000-8000-0000000000bb';
    const id = '01920000-0000-7000-8000-0000000000ee';
    await service.deliver(bellRung, { data: { times: 3 }, tenantId, id });
    await service.deliver(bellRung, { data: { times: 3 }, tenantId, id });
    expect(heard).toEqual([`${tenantId} 3`]);
  });

  it('tells the test when the consumer fails, or when there is none', async () => {
    await expect(service.deliver(bellRung, { data: { times: 10 } })).rejects.toThrow('enough');
    const other = event('chat.lamp-lit.v1', z.strictObject({}));
    await expect(service.deliver(other, { data: {} })).rejects.toThrow('No consumer of this service');
  });
});

describe('a command', () => {
  const bell = () => ({ body: { id: newId() } });

  it('is refused and stores nothing, or the claim fails', async () => {
    const answer = await service.refusedStoringNothing(refuseBell, bell(), TooLoud, {
      facts: { place: 'tower' },
    });
    expect(answer.status).toBe(422);
    await expect(service.refusedStoringNothing(refuseButHang, bell(), TooLoud)).rejects.toThrow(/bell: \(/);
    await expect(service.refusedStoringNothing(refuseButTell, bell(), TooLoud)).rejects.toThrow(/bell-hung/);
    await expect(service.refusedStoringNothing(hangBell, bell(), TooLoud)).rejects.toThrow(/answer was 200/);
    await expect(service.refusedStoringNothing(refuseBell, bell(), Forbidden)).rejects.toThrow(
      /answer was 422/,
    );
  });

  it('can be repeated without another effect, or the claim fails', async () => {
    const once = bell();
    expect((await service.canBeRepeated(hangBell, once)).status).toBe(200);
    expect(await service.eventsOf(bellHung, { subject: once.body.id })).toHaveLength(1);
    await expect(service.canBeRepeated(hangAnother, bell())).rejects.toThrow(/bell: \(/);
    await expect(service.canBeRepeated(refuseBell, bell())).rejects.toThrow();
  });

  it('has events of its subject and of its organisation', async () => {
    const one = bell();
    await service.call(hangBell, one);
    expect(await service.eventsOf(bellHung, { subject: one.body.id, tenantid: testTenantId })).toHaveLength(
      1,
    );
    expect(await service.eventsOf(bellHung, { tenantid: newId() })).toEqual([]);
    expect(await service.eventsOf(bellRung)).toEqual([]);
  });
});
