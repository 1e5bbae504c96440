import { setTimeout as sleep } from 'node:timers/promises';
import { type Envelope, newId } from '@marimo/contracts';
import { type TestDatabase, testDatabase } from '@marimo/testing/database';
import { type FaultProxy, faultProxy } from '@marimo/testing/outside';
import { queueMigrations, type Transport } from '../src/index.ts';
import { openTransport } from './open-transport.ts';
import { tenantId } from './probe.ts';
import { until } from './stage.ts';

const queue = 'leased';

// RabbitMQ knows when a consumer is gone; over PostgreSQL a lease takes the place of that knowledge.
describe('a delivery that a process holds over postgres', () => {
  let made: TestDatabase;
  let proxy: FaultProxy;
  let holder: Transport;
  let other: Transport;

  beforeEach(async () => {
    made = await testDatabase({ schema: 'messaging', folders: [queueMigrations] });
    const { server } = made;
    proxy = await faultProxy({ target: `${server.host}:${server.port}` });
    holder = openTransport({ kind: 'postgres', server: { ...server, host: '127.0.0.1', port: proxy.port } });
    other = openTransport({ kind: 'postgres', server });
    await other.declare([{ name: queue, bindings: ['#'] }]);
  });
  afterEach(async () => {
    await proxy.set('none');
    await Promise.all([holder.close(), other.close()]);
    await Promise.all([proxy.close(), made.drop()]);
  });

  it('stays with it for as long as it works', async () => {
    const attempts: string[] = [];
    const done = Promise.withResolvers<void>();
    await holder.consume(queue, { concurrency: 1 }, async ({ attempt }) => {
      attempts.push(`holder ${attempt}`);
      await sleep(4_000); // its lease is 1.5 s
      done.resolve();
    });
    await other.publish([envelope()]);
    await until('it is in hand', () => attempts.length > 0);
    await other.consume(queue, { concurrency: 1 }, async ({ attempt }) => {
      attempts.push(`other ${attempt}`);
    });
    await done.promise;
    await sleep(300);
    expect(attempts).toEqual(['holder 1']);
    expect(await made.rows('delivery')).toEqual([]);
  });

  it('is no longer its to finish once another has taken it over', async () => {
    const attempts: string[] = [];
    const finishLate = Promise.withResolvers<void>();
    const failAfterThat = Promise.withResolvers<void>();
    await holder.consume(queue, { concurrency: 1 }, async ({ attempt }) => {
      attempts.push(`holder ${attempt}`);
      if (attempt === 1) await finishLate.promise;
    });
    await other.publish([envelope()]);
    await until('it is in hand', () => attempts.length === 1);
    await proxy.set('refuse');
    await other.consume(queue, { concurrency: 1 }, async ({ attempt }) => {
      attempts.push(`other ${attempt}`);
      if (attempt !== 2) return;
      await failAfterThat.promise;
      throw new Error('the second attempt fails');
    });
    await until('the other has it', () => attempts.length === 2);
    finishLate.resolve();
    await proxy.set('none');
    await sleep(1_000); // the holder tells that it has finished
    failAfterThat.resolve();
    await until('the third attempt', () => attempts.length > 2);
    expect(attempts.slice(0, 2)).toEqual(['holder 1', 'other 2']);
    expect(attempts[2]).toMatch(/ 3$/);
  });
});

function envelope(): Envelope {
  return {
    specversion: '1.0',
    id: newId(),
    source: '/services/probe',
    type: 'probe.a.v1',
    subject: 'a',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    tenantid: tenantId,
    data: null,
  };
}
