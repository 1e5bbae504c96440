import { event, Id, newId } from '@marimo/contracts';
import { createLog, createMetrics } from '@marimo/observability';
import { useDatabase } from '@marimo/testing/database';
import { createOutbox, createWake, outboxMigrations, startRelay, type Transport } from './index.ts';
import { type RelayOptions, usualGatherMs } from './relay.ts';

const tenantId = '0190a0de-0000-7000-8000-000000000001';
const noted = event('shop.noted.v1', Id);
const log = createLog({ service: 'shop', level: 'silent' });

describe('the relay', () => {
  const made = useDatabase({ schema: 'shop', folders: [outboxMigrations] });
  const wake = createWake();
  const outbox = createOutbox({ service: 'shop', clock: () => new Date(), onAdded: wake.ring });
  beforeEach(() => made.sql('truncate outbox'));

  async function add(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => newId());
    const events = ids.map((id) => ({ subject: id, data: id }));
    await made.database.inTenant(tenantId, (tx) => outbox.addAll(tx, noted, events));
    return ids;
  }

  function relayTo(publish: Transport['publish'], options: Partial<RelayOptions> = {}) {
    const metrics = createMetrics('shop');
    const transport = { publish } as Transport;
    const relay = startRelay({
      database: made.relay,
      transport,
      log,
      metrics,
      wake,
      pollMs: 60_000,
      ...options,
    });
    return { relay, metrics };
  }

  it('is woken by a commit, and hands over in the order of adding, a window at a time', async () => {
    const published: string[][] = [];
    const { relay } = relayTo(
      async (envelopes) => {
        published.push(envelopes.map(({ subject }) => subject));
        return new Set(envelopes.map(({ id }) => id));
      },
      { windowRows: 3 },
    );
    const ids = await add(7);
    while (published.flat().length < 7) await new Promise((resolve) => setTimeout(resolve, 5));
    await relay.close();
    expect(published).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
    expect(await made.rows('outbox')).toEqual([]);
  });

  it('deletes nothing that was not confirmed, and offers it again', async () => {
    const offered: string[] = [];
    const { relay } = relayTo(async (envelopes) => {
      const known = new Set(offered);
      offered.push(...envelopes.map(({ subject }) => subject));
      // At first only every second one arrives.
      return new Set(
        envelopes.filter(({ subject }, i) => known.has(subject) || i % 2 === 0).map(({ id }) => id),
      );
    });
    const [a, b, c] = await add(3);
    while (offered.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    await relay.close();
    expect(offered).toEqual([a, b, c, b]);
    expect(await made.rows('outbox')).toEqual([]);
  });

  it('publishes before it closes what was committed while it was publishing', async () => {
    const published: string[] = [];
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const { relay } = relayTo(async (envelopes) => {
      begun.resolve();
      await gate.promise;
      published.push(...envelopes.map(({ subject }) => subject));
      return new Set(envelopes.map(({ id }) => id));
    });
    const first = await add(1);
    await begun.promise;
    const second = await add(1);
    const closing = relay.close();
    gate.resolve();
    await closing;
    expect(published).toEqual([...first, ...second]);
  });

  it('lets events of many commits gather after a window, as long as it is told for what that carried', async () => {
    const published: string[][] = [];
    const carried: number[] = [];
    const gathering = Promise.withResolvers<void>();
    const gatherMs = (count: number) => {
      carried.push(count);
      gathering.resolve();
      return 60_000;
    };
    const { relay } = relayTo(
      async (envelopes) => {
        published.push(envelopes.map(({ subject }) => subject));
        return new Set(envelopes.map(({ id }) => id));
      },
      { gatherMs },
    );
    const [alone] = await add(1);
    await gathering.promise;
    const [second] = await add(1);
    const [third] = await add(1);
    await relay.close();
    expect(published).toEqual([[alone], [second, third]]);
    expect(carried).toEqual([1]);
  });

  it.each([
    [1, 10],
    [4, 40],
    [10, 100],
    [249, 100],
  ])('after %i events lets others gather for %i ms', (count, ms) => {
    expect(usualGatherMs(count)).toBe(ms);
  });

  it('closes while the broker is away, and leaves what waits', async () => {
    let tries = 0;
    const { relay } = relayTo(async () => {
      tries += 1;
      throw new Error('away');
    });
    await add(1);
    while (tries === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await relay.close();
    expect(await made.rows('outbox')).toHaveLength(1);
  });

  it('tells how many events wait, and for how long', async () => {
    await add(2);
    await made.sql(`update outbox set added_at = now() - interval '90 seconds'`);
    const { relay, metrics } = relayTo(() => Promise.reject(new Error('away')));
    const metric = async (name: string) =>
      Number(new RegExp(`^${name}{.*} (.*)$`, 'm').exec(await metrics.render())?.[1]);
    while (!((await metric('outbox_unpublished')) > 0))
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await metric('outbox_unpublished')).toBe(2);
    expect(await metric('outbox_oldest_age_seconds')).toBeGreaterThan(89);
    await relay.close();
  });
});
