import { newId } from '@marimo/contracts';
import {
  createMetrics,
  currentContext,
  currentTraceparent,
  inSpan,
  runInContext,
} from '@marimo/observability';
import { type Database, openDatabase, passwordOf } from '@marimo/postgres';
import { faultProxy } from '@marimo/testing/outside';
import { type Consumer, consumerOfAll, type Transport, UnfitEvent } from '../src/index.ts';
import {
  effectWriter,
  type FactStated,
  factEvent,
  type Service,
  silent,
  startService,
  tenantId,
} from './probe.ts';
import { overEachTransport, type Stage, until } from './stage.ts';

describe('events of a service', () => {
  overEachTransport((stage) => {
    let transport: Transport;
    let event: FactStated;
    let queue: string;

    beforeEach(async () => {
      transport = await stage.openTransport();
      event = factEvent();
      queue = `effects_${newId()}`;
    });

    async function started(options: {
      consumers?: readonly Consumer<undefined>[];
      withoutRelay?: boolean;
      transport?: Transport;
      database?: Database;
      handleWithinMs?: number;
    }): Promise<Service> {
      const { database, relay: relayDatabase } = stage.database;
      return stage.closeAfterwards(
        await startService({ database, relayDatabase, transport, event, ...options }),
      );
    }

    it('have their effect once, in each consumer that wants them', async () => {
      const others = `${queue}_others`;
      const service = await started({ consumers: [effectWriter(queue, event), effectWriter(others, event)] });
      const facts = ids(40);
      await service.state(facts.slice(0, 1));
      await service.state(facts.slice(1));
      await until('all effects', async () => (await effects(stage, others)).length >= 40);
      await until('all effects', async () => (await effects(stage, queue)).length >= 40);
      expect(await effects(stage, queue)).toEqual([...facts].sort());
      expect(await effects(stage, others)).toEqual([...facts].sort());
      await until('nothing waits', async () => (await waiting(stage, event)) === 0);
    });

    it('do not happen when the transaction is rolled back', async () => {
      const service = await started({ consumers: [effectWriter(queue, event)] });
      const refused = service.state(ids(1), () => Promise.reject(new Error('a rule of the trade')));
      await expect(refused).rejects.toThrow('a rule of the trade');
      const [fact] = ids(1);
      await service.state([fact!]);
      await until('the effect', async () => (await effects(stage, queue)).length > 0);
      expect(await effects(stage, queue)).toEqual([fact]);
    });

    it('have their effect once, however often and in whatever order they are delivered', async () => {
      const service = await started({ consumers: [effectWriter(queue, event)], withoutRelay: true });
      const facts = ids(20);
      await service.state(facts);
      const rows = await stage.database.sql<{ envelope: { id: string; type: string } }>(
        `delete from outbox where envelope->>'type' = $1 returning envelope`,
        [event.type],
      );
      const five = [1, 2, 3, 4, 5].flatMap((turn) =>
        rows.map(({ envelope }) => {
          const id = turn % 2 === 0 ? envelope.id : envelope.id.toUpperCase(); // the same, as UUIDs go
          return { ...envelope, id } as never;
        }),
      );
      const shuffled = five
        .map((value) => ({ value, place: Math.random() }))
        .sort((a, b) => a.place - b.place);
      for (const { value } of shuffled) await transport.publish([value]);
      await until('the duplicates are through', async () => (await duplicates(service)) === 80);
      expect(await effects(stage, queue)).toEqual([...facts].sort());
    });

    it('are relayed when their transaction commits after later ones', async () => {
      const service = await started({ consumers: [effectWriter(queue, event)] });
      const [late, ...early] = ids(6);
      const written = Promise.withResolvers<void>();
      const commit = Promise.withResolvers<void>();
      const slow = service.state([late!], async () => {
        written.resolve();
        await commit.promise;
      });
      await written.promise;
      await service.state(early);
      await until('the early effects', async () => (await effects(stage, queue)).length === 5);
      commit.resolve();
      await slow;
      await until('the late effect', async () => (await effects(stage, queue)).length > 5);
      expect(await effects(stage, queue)).toEqual([late!, ...early].sort());
    });

    it('stay in the outbox while the queues are away, and leave it when they are back', async () => {
      const service = await started({ consumers: [effectWriter(queue, event)] });
      await stage.proxy.set('refuse');
      const facts = ids(3);
      await service.state(facts);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await waiting(stage, event)).toBe(3);
      await stage.proxy.set('none');
      await until('all effects', async () => (await effects(stage, queue)).length >= 3);
      expect(await effects(stage, queue)).toEqual([...facts].sort());
      await until('nothing waits', async () => (await waiting(stage, event)) === 0);
    });

    it('go to the dead letters at once when they do not fit the contract, and no trace of them is kept', async () => {
      const service = await started({ consumers: [effectWriter(queue, event)], withoutRelay: true });
      await service.state(ids(1));
      const [row] = await stage.database.sql<{ envelope: object }>(
        `delete from outbox where envelope->>'type' = $1 returning envelope`,
        [event.type],
      );
      await transport.publish([{ ...row!.envelope, data: { factId: 'no id' } } as never]);
      await until('it is parked', async () => (await transport.depth(queue)).dead === 1);
      const [letter] = await transport.deadLetters(queue, 1);
      expect(letter).toMatchObject({ attempts: 1, reason: expect.stringContaining('factId') });
      expect(await inboxOf(stage, queue)).toBe(0);
    });

    it('keep no inbox row when the consumer fails, and have their effect at a later attempt', async () => {
      let failures = 0;
      const consumer = effectWriter(queue, event, () => {
        failures += 1;
        if (failures < 3) throw new Error('not yet');
      });
      const service = await started({ consumers: [consumer] });
      const facts = ids(1);
      await service.state(facts);
      await until('the effect', async () => (await effects(stage, queue)).length > 0);
      expect(await effects(stage, queue)).toEqual(facts);
      expect(await inboxOf(stage, queue)).toBe(1);
      expect(await service.metrics.render()).toMatch(
        /consumer_handle_duration_seconds_count{.*outcome="failed".*} 2\n/,
      );
    });

    it.each([
      ['does not listen', 'refuse'],
      ['is out of reach', 'blackhole'],
    ] as const)(
      'wait, without using up their attempts, while the database of the consumer %s',
      async (_, fault) => {
        const { server } = stage.database;
        const proxy = stage.closeAfterwards(await faultProxy({ target: `${server.host}:${server.port}` }));
        const database = stage.closeAfterwards(
          openDatabase({
            server: { ...server, host: '127.0.0.1', port: proxy.port },
            schema: 'probe',
            role: 'app',
            password: passwordOf('probe_app', 'testing'),
            metrics: createMetrics('probe'),
            log: silent,
          }),
        );
        const attempts: number[] = [];
        const consumer = effectWriter(queue, event);
        const counted: typeof transport = {
          ...transport,
          consume: (name, options, handler) =>
            transport.consume(name, options, (delivery) => {
              attempts.push(delivery.attempt);
              return handler(delivery);
            }),
        };
        const stating = await started({});
        await started({
          database,
          transport: counted,
          consumers: [consumer],
          withoutRelay: true,
          handleWithinMs: 500,
        });
        await proxy.set(fault);
        const facts = ids(1);
        await stating.state(facts);
        await until('it was tried', () => attempts.length > 0);
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        await proxy.set('none');
        await until('the effect', async () => (await effects(stage, queue)).length > 0);
        expect(attempts).toEqual([1]);
      },
    );

    it('run in the tenant, for the actor and in the trace of who caused them', async () => {
      const seen: unknown[] = [];
      const consumer = consumerOfAll<undefined>({
        name: queue,
        queue,
        async handle(tx, [envelope]) {
          if (envelope?.type !== event.type) return;
          seen.push({
            tenant: tx.tenantId,
            work: currentContext(),
            traceparent: currentTraceparent(),
            envelope,
          });
        },
      });
      const service = await started({ consumers: [consumer] });
      const [factId] = ids(1);
      const actorId = newId();
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      await runInContext({ requestId: 'request-7', tenantId, actorId }, () =>
        inSpan('probe', 'test', { traceparent }, () => service.state([factId!])),
      );
      await until('it is handled', () => seen.length > 0);
      expect(seen).toEqual([
        {
          tenant: tenantId,
          work: { requestId: 'request-7', tenantId, actorId },
          traceparent: expect.stringContaining('-0af7651916cd43dd8448eb211c80319c-'),
          envelope: expect.objectContaining({
            specversion: '1.0',
            source: '/services/probe',
            type: event.type,
            subject: factId,
            tenantid: tenantId,
            actorid: actorId,
            requestid: 'request-7',
            traceparent: expect.stringContaining('-0af7651916cd43dd8448eb211c80319c-'),
            data: { factId },
          }),
        },
      ]);
    });

    it('share transactions where their consumer says so, and each still counts for itself', async () => {
      const facts = ids(60);
      const [unfit, failsOnce] = [facts[7], facts[30]];
      const transactions = new Set<unknown>();
      let failures = 0;
      const consumer = consumerOfAll<undefined>({
        name: queue,
        queue,
        concurrency: 2,
        together: 20,
        async handle(tx, envelopes) {
          for (const { type, subject } of envelopes) {
            if (type !== event.type) continue;
            if (subject === unfit) throw new UnfitEvent('nobody can use this');
            const sql = `insert into effect (tenant_id, consumer, fact_id) values ($1, $2, $3)
                         returning pg_current_xact_id()::text as transaction`;
            const [row] = await tx.rows<{ transaction: string }>(sql, [tx.tenantId, queue, subject]);
            if (subject === failsOnce && ++failures <= 2) throw new Error('not yet'); // in its group, and alone
            transactions.add(row?.transaction);
          }
        },
      });
      const service = await started({ consumers: [consumer] });
      await service.state(facts);
      await until('all effects', async () => (await effects(stage, queue)).length >= 59);
      expect(await effects(stage, queue)).toEqual(facts.filter((fact) => fact !== unfit).sort());
      await until('the unfit one is parked', async () => (await transport.depth(queue)).dead === 1);
      expect(await inboxOf(stage, queue)).toBe(59);
      expect(transactions.size).toBeLessThan(59);
    });

    it('leave the outbox before the relay closes', async () => {
      const service = await started({ consumers: [effectWriter(queue, event)] });
      await service.state(ids(700));
      await service.close();
      expect(await waiting(stage, event)).toBe(0);
    });

    it('are shared by two relays without being published twice', async () => {
      const service = await started({ consumers: [effectWriter(queue, event)] });
      const second = await started({});
      await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? service : second).state(ids(10))));
      await until('all effects', async () => (await effects(stage, queue)).length >= 200);
      expect(await duplicates(service)).toBe(0);
    });
  });
});

function ids(count: number): string[] {
  return Array.from({ length: count }, () => newId());
}

async function effects(stage: Stage, consumer: string): Promise<string[]> {
  const rows = await stage.database.sql<{ fact_id: string }>(
    'select fact_id from effect where consumer = $1 order by fact_id',
    [consumer],
  );
  return rows.map((row) => row.fact_id);
}

async function waiting(stage: Stage, event: FactStated): Promise<number> {
  const rows = await stage.database.sql(`select 1 from outbox where envelope->>'type' = $1`, [event.type]);
  return rows.length;
}

async function inboxOf(stage: Stage, consumer: string): Promise<number> {
  return (await stage.database.sql('select 1 from inbox where consumer = $1', [consumer])).length;
}

async function duplicates(service: Service): Promise<number> {
  const line = /^inbox_duplicates_total{.*} (\d+)$/m.exec(await service.metrics.render());
  return Number(line?.[1] ?? 0);
}
