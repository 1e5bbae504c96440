import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@marimo/contracts';
import { tries } from '@marimo/testing/outside';
import type { Transport } from '../src/index.ts';
import { effectWriter, factEvent, type Service, startService } from './probe.ts';
import { overEachTransport, type Stage, until } from './stage.ts';

/** RabbitMQ 3.10 notes lazily which quorum queues it has: killed within a second of declaring one, it loses that one. */
const queueSettlesMs = 2_000;

/** Once, when some facts have been stated; says whether it was now. */
type Kill = () => Promise<boolean>;

/** Where the broker is killed, as a transport that does it on the way. */
const moments: readonly (readonly [string, (transport: Transport, kill: Kill) => Partial<Transport>])[] = [
  [
    'while events are on their way to it',
    (transport, kill) => ({
      publish: async (envelopes) => {
        const [outcome] = await Promise.allSettled([transport.publish(envelopes), kill()]);
        return outcome.status === 'fulfilled' ? outcome.value : new Set();
      },
    }),
  ],
  [
    'once it has confirmed, before the outbox knows',
    (transport, kill) => ({
      publish: async (envelopes) => {
        const stored = await transport.publish(envelopes);
        return (await kill()) ? new Set() : stored;
      },
    }),
  ],
  [
    'while a consumer is at work',
    (transport, kill) => ({
      consume: (queue, options, handler) =>
        transport.consume(queue, options, async (delivery) => {
          await kill();
          await handler(delivery);
        }),
    }),
  ],
  [
    'after the effect, before it is acknowledged',
    (transport, kill) => ({
      consume: (queue, options, handler) =>
        transport.consume(queue, options, async (delivery) => {
          await handler(delivery);
          await kill();
        }),
    }),
  ],
];

describe('while the queues are away', () => {
  overEachTransport((stage, kind) => {
    let queue: string;
    const stated: string[] = [];

    beforeEach(() => {
      queue = newId();
      stated.length = 0;
    });

    async function start(transport: Transport): Promise<Service> {
      const event = factEvent(queue);
      const { database, relay: relayDatabase } = stage.database;
      const consumers = [effectWriter(queue, event)];
      const probe = stage.closeAfterwards(
        await startService({ database, relayDatabase, transport, event, consumers }),
      );
      if (kind === 'rabbitmq') await sleep(queueSettlesMs);
      return probe;
    }

    async function stateEvery(pauseMs: number, probe: Service, isOver: () => boolean): Promise<void> {
      while (!isOver()) {
        const factId = newId();
        await probe.state([factId]);
        stated.push(factId);
        await sleep(pauseMs);
      }
    }

    async function expectEachOnce(probe: Service): Promise<void> {
      await until('every fact has its effect', async () => {
        return new Set(await effects(stage, queue)).size >= stated.length;
      });
      await probe.close();
      expect((await effects(stage, queue)).sort()).toEqual([...stated].sort());
      expect(await stage.database.rows('outbox')).toEqual([]);
    }

    const stateMore = (count: number) => {
      const enough = stated.length + count;
      return until(`${count} more facts are stated`, () => stated.length >= enough);
    };

    it('facts are stated as ever, and each has its effect afterwards', async () => {
      const probe = await start(await stage.openTransport());
      let over = false;
      const stating = stateEvery(50, probe, () => over);
      await stateMore(5);
      await (stage.broker === undefined ? stage.proxy.set('refuse') : stage.broker.kill());
      await stateMore(tries(50, 500));
      await (stage.broker === undefined ? stage.proxy.set('none') : stage.broker.restart());
      await stateMore(5);
      over = true;
      await stating;
      await expectEachOnce(probe);
    }, 120_000);

    it('because the network lets nothing through, nothing is lost either', async () => {
      const probe = await start(await stage.openTransport());
      let over = false;
      const stating = stateEvery(20, probe, () => over);
      await stateMore(5);
      await stage.proxy.set('drop replies'); // what is published arrives, and nobody hears of it
      await stateMore(tries(50, 500));
      await stage.proxy.set('none');
      await stateMore(5);
      over = true;
      await stating;
      await expectEachOnce(probe);
    }, 60_000);

    if (kind !== 'rabbitmq') return;
    it.each(moments)(
      'killed %s, it loses nothing that was stated',
      async (_, killing) => {
        let killed = false;
        let statedAtRestart: number | undefined;
        const kill = async () => {
          if (killed || stated.length < 5) return false;
          killed = true;
          await stage.broker!.kill();
          await stage.broker!.restart();
          statedAtRestart = stated.length;
          return true;
        };
        const transport = await stage.openTransport();
        const probe = await start({ ...transport, ...killing(transport, kill) });
        const giveUpAt = Date.now() + 90_000; // a broker takes its time to start on a busy machine
        const enough = () => statedAtRestart !== undefined && stated.length > statedAtRestart + 10;
        await stateEvery(50, probe, () => enough() || Date.now() > giveUpAt);
        expect(statedAtRestart).toBeDefined();
        await expectEachOnce(probe);
      },
      150_000,
    );
  });
});

async function effects(stage: Stage, consumer: string): Promise<string[]> {
  const rows = await stage.database.sql<{ fact_id: string }>(
    'select fact_id from effect where consumer = $1',
    [consumer],
  );
  return rows.map((row) => row.fact_id);
}
