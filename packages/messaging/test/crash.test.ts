import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { newId } from '@marimo/contracts';
import type { Failpoint } from '../src/failpoint.ts';
import type { CrashOrder } from './crash-process.ts';
import { effectWriter, factEvent, startService } from './probe.ts';
import { overEachTransport, type Stage, until } from './stage.ts';

const program = fileURLToPath(new URL('./crash-process.ts', import.meta.url));

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
      const acknowledged = await runUntilKilled(stage, `${place}:3`, { name, everySecond });

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

/** Returns the facts that it had acknowledged. */
async function runUntilKilled(
  stage: Stage,
  failpoint: string,
  given: Pick<CrashOrder, 'name' | 'everySecond'>,
): Promise<string[]> {
  const order: CrashOrder = { ...given, server: stage.database.server, queuesAt: stage.queuesAt };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    env: { ...process.env, CRASH_ORDER: JSON.stringify(order), MARIMO_FAILPOINT: failpoint },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  child.stdout.on('data', (chunk) => lines.push(String(chunk)));
  const giveUp = setTimeout(() => child.kill('SIGTERM'), 20_000);
  const [, signal] = await once(child, 'close');
  clearTimeout(giveUp);
  expect(signal).toBe('SIGKILL');
  return lines.join('').split('\n').filter(Boolean);
}

async function effects(stage: Stage, consumer: string): Promise<string[]> {
  const rows = await stage.database.sql<{ fact_id: string }>(
    'select fact_id from effect where consumer = $1',
    [consumer],
  );
  return rows.map((row) => row.fact_id);
}
