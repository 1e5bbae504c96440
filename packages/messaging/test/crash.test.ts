import { newId } from '@marimo/contracts';
import { runUntilKilled } from '@marimo/testing/outside';
import type { Failpoint } from '../src/failpoint.ts';
import type { CrashOrder } from './crash-process.ts';
import { effectWriter, factEvent, startService } from './probe.ts';
import { overEachTransport, type Stage, until } from './stage.ts';

const program = new URL('./crash-process.ts', import.meta.url);

/** Each place, and what the consumer must be doing for the process to come by. */
const places: readonly (readonly [Failpoint, CrashOrder['everySecond']])[] = [
  ['outbox.afterAdd', 'handle'],
  ['outbox.afterCommit', 'handle'],
  ['relay.afterClaim', 'handle'],
  ['relay.afterPublish', 'handle'],
  ['relay.afterDelete', 'handle'],
  ['consumer.afterInbox', 'handle'],
  ['consumer.afterEffect', 'handle'],
  ['consumer.afterCommit', 'handle'],
  ['transport.afterRetry', 'fail once'],
  ['transport.afterPark', 'park, then replay'],
  ['transport.afterReplay', 'park, then replay'],
];

describe('a process that is killed', () => {
  overEachTransport((stage) => {
    it.each(places)('at %s loses no fact and doubles none', async (place, everySecond) => {
      const name = newId();
      const { server } = stage.database;
      const order: CrashOrder = { name, everySecond, server, queuesAt: stage.queuesAt };
      const acknowledged = await runUntilKilled({ program, order, failpoint: `${place}:3` });

      const transport = await stage.openTransport();
      const event = factEvent(name);
      const { database, relay: relayDatabase } = stage.database;
      const consumers = [effectWriter(name, event)];
      const service = stage.closeAfterwards(
        await startService({ database, relayDatabase, transport, event, consumers }),
      );
      await transport.replay(name);
      const stated = (await stage.database.sql<{ id: string }>('select id from fact')).map(({ id }) => id);
      await until('every fact has its effect', async () => {
        await transport.replay(name);
        return new Set(await effects(stage, name)).size >= stated.length;
      });
      await until('nothing is under way', async () => (await transport.depth(name)).waiting === 0);
      await service.close();

      expect(stated).toEqual(expect.arrayContaining(acknowledged));
      expect((await effects(stage, name)).sort()).toEqual(stated.sort());
      expect(await stage.database.rows('outbox')).toEqual([]);
    });

    afterEach(() => stage.database.sql('truncate fact, effect, inbox, outbox'));
  });
});

async function effects(stage: Stage, consumer: string): Promise<string[]> {
  const rows = await stage.database.sql<{ fact_id: string }>(
    'select fact_id from effect where consumer = $1',
    [consumer],
  );
  return rows.map((row) => row.fact_id);
}
