import { event, newId } from '@marimo/contracts';
import { useDatabase } from '@marimo/testing/database';
import { z } from 'zod';
import { recordInInbox, sweepInbox } from './inbox.ts';
import { outboxMigrations } from './migrations.ts';
import { createOutbox } from './outbox.ts';

const tenantId = '0190a0de-0000-7000-8000-000000000001';
const otherTenantId = '0190a0de-0000-7000-8000-000000000002';
const priceSet = event('shop.price-set.v1', z.strictObject({ item: z.string(), cents: z.int() }));

describe('the outbox and inbox of a service', () => {
  const made = useDatabase({ schema: 'shop', folders: [outboxMigrations] });
  let added = 0;
  const outbox = createOutbox({
    service: 'shop',
    clock: () => new Date('2026-03-31T09:00:00.000Z'),
    onAdded: () => {
      added += 1;
    },
  });
  beforeEach(async () => {
    added = 0;
    await made.sql('truncate outbox, inbox');
  });

  it('write an envelope as CloudEvents has it, and call the relay after the commit', async () => {
    await made.database.inTenant(tenantId, async (tx) => {
      await outbox.add(tx, priceSet, 'item-1', { item: 'item-1', cents: 250 });
      expect(added).toBe(0);
    });
    expect(added).toBe(1);
    const [row] = await made.rows<{ id: string; tenant_id: string; envelope: object }>('outbox');
    expect(row).toMatchObject({ tenant_id: tenantId });
    expect(row?.envelope).toEqual({
      specversion: '1.0',
      id: row?.id,
      source: '/services/shop',
      type: 'shop.price-set.v1',
      subject: 'item-1',
      time: '2026-03-31T09:00:00.000Z',
      datacontenttype: 'application/json',
      tenantid: tenantId,
      data: { item: 'item-1', cents: 250 },
    });
  });

  it('keep many events in the order in which they were added', async () => {
    const events = Array.from({ length: 1_000 }, (_, cents) => ({
      subject: 'a',
      data: { item: '"\\,{}ё', cents },
    }));
    await made.database.inTenant(tenantId, (tx) => outbox.addAll(tx, priceSet, events));
    const rows = await made.sql<{ envelope: { data: unknown } }>(
      'select envelope from outbox order by position',
    );
    expect(rows.map(({ envelope }) => envelope.data)).toEqual(events.map(({ data }) => data));
  });

  it('do not call the relay for nothing', async () => {
    await made.database.inTenant(tenantId, (tx) => outbox.addAll(tx, priceSet, []));
    expect(added).toBe(0);
  });

  it.each([
    ['data that does not fit the contract', { item: 'a', cents: 2.5 }, /expected int/],
    ['data with more than the contract', { item: 'a', cents: 2, secret: 'x' }, /[Uu]nrecognized key/],
    [
      'more than a broker takes',
      { item: 'x'.repeat(17 * 1024 * 1024), cents: 2 },
      /more than a broker takes/,
    ],
  ])('refuse %s, and with it the transaction', async (_, data, why) => {
    const work = made.database.inTenant(tenantId, (tx) => outbox.add(tx, priceSet, 'a', data as never));
    await expect(work).rejects.toThrow(why);
    expect(await made.rows('outbox')).toEqual([]);
  });

  it('refuse an event of no tenant', async () => {
    const work = made.database.withoutTenant((tx) => outbox.add(tx, priceSet, 'a', { item: 'a', cents: 1 }));
    await expect(work).rejects.toThrow('needs a transaction of a tenant');
  });

  it('are added to and never changed by the service, and seen by the relay for every tenant', async () => {
    for (const tenant of [tenantId, otherTenantId]) {
      await made.database.inTenant(tenant, (tx) => outbox.add(tx, priceSet, 'a', { item: 'a', cents: 1 }));
    }
    for (const sql of ['delete from outbox', 'update outbox set added_at = now()', 'delete from inbox']) {
      const change = made.database.inTenant(tenantId, (tx) => tx.run(sql));
      await expect(change).rejects.toThrow('permission denied');
    }
    const own = await made.database.inTenant(tenantId, (tx) => tx.rows('select 1 from outbox'));
    expect(own).toHaveLength(1);
    const all = await made.relay.withoutTenant((tx) =>
      tx.rows('select 1 from outbox for update skip locked'),
    );
    expect(all).toHaveLength(2);
    for (const sql of [
      `update outbox set envelope = '{}'`,
      `insert into outbox (tenant_id, id, envelope) values ('${tenantId}', '${newId()}', '{}')`,
      `insert into inbox (tenant_id, consumer, event_id) values ('${tenantId}', 'a', '${newId()}')`,
    ]) {
      await expect(made.relay.withoutTenant((tx) => tx.run(sql))).rejects.toThrow('permission denied');
    }
  });

  it('record an event once for each consumer and tenant', async () => {
    const eventId = newId();
    const record = (tenant: string, consumer: string) =>
      made.database.inTenant(tenant, async (tx) => [...(await recordInInbox(tx, consumer, [eventId]))]);
    expect(await record(tenantId, 'mail')).toEqual([eventId]);
    expect(await record(tenantId, 'mail')).toEqual([]);
    expect(await record(tenantId, 'audit')).toEqual([eventId]);
    expect(await record(otherTenantId, 'mail')).toEqual([eventId]);
  });

  it('record many events at once, whichever of them are known, repeated or written in capitals', async () => {
    const [known, fresh] = [newId(), newId()];
    const record = (ids: readonly string[]) =>
      made.database.inTenant(tenantId, async (tx) => [...(await recordInInbox(tx, 'many', ids))]);
    await record([known]);
    expect(await record([fresh.toUpperCase(), known, fresh])).toEqual([fresh]);
  });

  it('let a second delivery wait for the first, and try again when that one failed', async () => {
    const eventId = newId();
    const recorded = Promise.withResolvers<void>();
    const fail = Promise.withResolvers<void>();
    const first = made.database.inTenant(tenantId, async (tx) => {
      await recordInInbox(tx, 'mail', [eventId]);
      recorded.resolve();
      await fail.promise;
      throw new Error('the effect failed');
    });
    await recorded.promise;
    const second = made.database.inTenant(tenantId, (tx) => recordInInbox(tx, 'mail', [eventId]));
    fail.resolve();
    await expect(first).rejects.toThrow('the effect failed');
    expect([...(await second)]).toEqual([eventId]);
  });

  it('forget what was handled more than thirty days ago', async () => {
    await made.sql(
      `insert into inbox (tenant_id, consumer, event_id, handled_at)
       select $1, 'mail', gen_random_uuid(), now() - days * interval '1 day' from unnest(array[0, 29, 31, 400]) as days`,
      [tenantId],
    );
    await sweepInbox(made.relay);
    const kept = await made.sql<{ days: number }>(
      `select extract(day from now() - handled_at)::int as days from inbox order by days`,
    );
    expect(kept.map(({ days }) => days)).toEqual([0, 29]);
  });
});
