import { type Envelope, newId } from '@marimo/contracts';
import { type Delivery, type Transport, UnfitEvent } from '../src/index.ts';
import { retryDelaysMs } from './open-transport.ts';
import { tenantId } from './probe.ts';
import { overEachTransport, until } from './stage.ts';

function envelope(type: string): Envelope {
  return {
    specversion: '1.0',
    id: newId(),
    source: '/services/probe',
    type,
    subject: newId(),
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    tenantid: tenantId,
    data: { note: 'ё\u0001"\\ and more', lines: [1, 2.5, null] },
  };
}

/** Words of a test's own in front, so that the tests can share a broker. */
function ownWord(): string {
  return `t${newId().slice(-12)}`;
}

describe('a transport', () => {
  overEachTransport((stage) => {
    let transport: Transport;
    beforeEach(async () => {
      transport = await stage.openTransport();
    });

    it('carries an envelope unchanged', async () => {
      const word = ownWord();
      await transport.declare([{ name: word, bindings: [`${word}.#`] }]);
      const sent = envelope(`${word}.thing-happened.v1`);
      expect(await transport.publish([sent])).toEqual(new Set([sent.id]));
      expect(await received(transport, word, 1)).toEqual([{ envelope: sent, attempt: 1 }]);
    });

    it('gives each queue the events whose type fits one of its patterns, once, and no others', async () => {
      const word = ownWord();
      const patterns = {
        'one type': [`${word}.a.v1`],
        'one word': [`${word}.*.v1`],
        'any number of words': [`${word}.#`],
        'words in between': [`${word}.#.v2`],
        'two that overlap': [`${word}.a.v1`, `${word}.#`],
        'another service': [`${word}x.#`],
      };
      const queues = Object.entries(patterns).map(([name, bindings]) => ({
        name: `${word} ${name}`.replaceAll(' ', '-'),
        bindings,
      }));
      await transport.declare(queues);
      const types = ['a.v1', 'b.v1', 'a.v2', 'a.b.v1', 'v2'].map((end) => `${word}.${end}`);
      await transport.publish(types.map(envelope));
      const typesIn = async (index: number, count: number) => {
        const deliveries = await received(transport, queues[index]!.name, count);
        return deliveries.map((delivery) => delivery.envelope.type.slice(word.length + 1)).sort();
      };
      expect(await typesIn(0, 1)).toEqual(['a.v1']);
      expect(await typesIn(1, 2)).toEqual(['a.v1', 'b.v1']);
      expect(await typesIn(2, 5)).toEqual(['a.b.v1', 'a.v1', 'a.v2', 'b.v1', 'v2']);
      expect(await typesIn(3, 2)).toEqual(['a.v2', 'v2']);
      expect(await typesIn(4, 5)).toHaveLength(5);
      expect(await typesIn(5, 0)).toEqual([]);
    });

    it('keeps an event that no queue takes, for the first queue that does', async () => {
      const word = ownWord();
      const early = envelope(`${word}.early.v1`);
      expect(await transport.publish([early])).toEqual(new Set([early.id]));
      await transport.declare([{ name: `${word}-other`, bindings: [`${word}.other`] }]);
      await transport.declare([{ name: word, bindings: [`${word}.early.v1`] }]);
      expect(await received(transport, word, 1)).toEqual([{ envelope: early, attempt: 1 }]);
    });

    it('brings back what failed, after a growing delay, five times in all, then parks it with the reason', async () => {
      const word = ownWord();
      await transport.declare([{ name: word, bindings: [`${word}.#`] }]);
      const attempts: { attempt: number; at: number }[] = [];
      const subscription = await transport.consume(word, { concurrency: 1 }, async ({ attempt }) => {
        attempts.push({ attempt, at: Date.now() });
        throw new RangeError(`attempt ${attempt} failed`);
      });
      const sent = envelope(`${word}.a.v1`);
      await transport.publish([sent]);
      await until('it is parked', async () => (await transport.depth(word)).dead === 1);
      await subscription.close();

      expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
      const waits = attempts.slice(1).map(({ at }, index) => at - attempts[index]!.at);
      for (const [index, delayMs] of retryDelaysMs.entries()) {
        expect(waits[index]).toBeGreaterThanOrEqual(delayMs - 5);
      }
      const [letter, ...more] = await transport.deadLetters(word, 10);
      expect(more).toEqual([]);
      expect(letter).toMatchObject({ id: sent.id, queue: word, envelope: sent, attempts: 5 });
      expect(letter?.reason).toBe('RangeError: attempt 5 failed');
      expect(Math.abs(Date.now() - Date.parse(letter!.diedAt))).toBeLessThan(60_000);
    });

    it('parks at once what can never be handled', async () => {
      const word = ownWord();
      await transport.declare([{ name: word, bindings: [`${word}.#`] }]);
      let calls = 0;
      const subscription = await transport.consume(word, { concurrency: 1 }, async () => {
        calls += 1;
        throw new UnfitEvent('the amount is no number');
      });
      await transport.publish([envelope(`${word}.a.v1`)]);
      await until('it is parked', async () => (await transport.depth(word)).dead === 1);
      await subscription.close();
      const [letter] = await transport.deadLetters(word, 10);
      expect(letter).toMatchObject({ attempts: 1, reason: 'UnfitEvent: the amount is no number' });
      expect(calls).toBe(1);
    });

    it('parks what failed for a reason that no database can keep', async () => {
      const word = ownWord();
      await transport.declare([{ name: word, bindings: [`${word}.#`] }]);
      const subscription = await transport.consume(word, { concurrency: 1 }, async () => {
        throw new UnfitEvent('there is no file called a\0b');
      });
      await transport.publish([envelope(`${word}.a.v1`)]);
      await until('it is parked', async () => (await transport.depth(word)).dead === 1);
      await subscription.close();
      const [letter] = await transport.deadLetters(word, 10);
      expect(letter?.reason).toBe('UnfitEvent: there is no file called a\ufffdb');
    });

    it('puts chosen dead letters back, then all others, with all attempts before them', async () => {
      const word = ownWord();
      await transport.declare([{ name: word, bindings: [`${word}.#`] }]);
      const sent = ['a', 'b', 'c'].map((end) => envelope(`${word}.${end}.v1`));
      const parking = await transport.consume(word, { concurrency: 2 }, () => {
        throw new UnfitEvent('not yet');
      });
      await transport.publish(sent);
      await until('all are parked', async () => (await transport.depth(word)).dead === 3);
      await parking.close();

      expect(await transport.deadLetters(word, 2)).toHaveLength(2);
      expect(await transport.replay(word, [sent[1]!.id, newId()])).toBe(1);
      expect(await received(transport, word, 1)).toEqual([{ envelope: sent[1], attempt: 1 }]);
      expect(await transport.replay(word)).toBe(2);
      const others = await received(transport, word, 2);
      expect(others.map((delivery) => delivery.envelope.id).sort()).toEqual(
        [sent[0]!.id, sent[2]!.id].sort(),
      );
      expect(await transport.deadLetters(word, 10)).toEqual([]);
      expect(await transport.replay(word)).toBe(0);
    });

    it('lets the healthy pass while a poisoned delivery waits for its attempts', async () => {
      const word = ownWord();
      await transport.declare([{ name: word, bindings: [`${word}.#`] }]);
      const poison = envelope(`${word}.poison.v1`);
      const healthy = Array.from({ length: 30 }, () => envelope(`${word}.healthy.v1`));
      const handled: { id: string; poisonAttempts: number }[] = [];
      let poisonAttempts = 0;
      const subscription = await transport.consume(word, { concurrency: 1 }, async ({ envelope: { id } }) => {
        if (id === poison.id) {
          poisonAttempts += 1;
          throw new Error('poison');
        }
        handled.push({ id, poisonAttempts });
      });
      await transport.publish([poison, ...healthy]);
      await until('it is parked', async () => (await transport.depth(word)).dead === 1);
      await subscription.close();
      expect(handled.map(({ id }) => id).sort()).toEqual(healthy.map(({ id }) => id).sort());
      expect(handled.filter((each) => each.poisonAttempts < 4).length).toBeGreaterThan(20);
    });

    it('has no more in hand than it was told to', async () => {
      const word = ownWord();
      await transport.declare([{ name: word, bindings: [`${word}.#`] }]);
      await transport.publish(Array.from({ length: 20 }, () => envelope(`${word}.a.v1`)));
      let now = 0;
      let most = 0;
      let done = 0;
      const subscription = await transport.consume(word, { concurrency: 4 }, async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        now -= 1;
        done += 1;
      });
      await until('all are done', () => done === 20);
      await subscription.close();
      expect(most).toBeLessThanOrEqual(4); // how many really meet is the broker's affair
      expect(most).toBeGreaterThan(1);
    });

    it('waits for what is in hand when it closes, takes no more, and leaves nothing to do again', async () => {
      const word = ownWord();
      await transport.declare([{ name: word, bindings: [`${word}.#`] }]);
      await transport.publish(Array.from({ length: 6 }, () => envelope(`${word}.a.v1`)));
      let begun = 0;
      let finished = 0;
      const gate = Promise.withResolvers<void>();
      const subscription = await transport.consume(word, { concurrency: 2 }, async () => {
        begun += 1;
        await gate.promise;
        finished += 1;
      });
      await until('two are in hand', () => begun === 2);
      const closing = subscription.close();
      setTimeout(gate.resolve, 100);
      await closing;
      expect([begun, finished]).toEqual([2, 2]);
      expect(await received(transport, word, 4)).toHaveLength(4);
    });

    it('hands over to another process what a cut-off one had in hand, and counts that as an attempt', async () => {
      const word = ownWord();
      await transport.declare([{ name: word, bindings: [`${word}.#`] }]);
      const sent = envelope(`${word}.a.v1`);
      await transport.publish([sent]);
      const gate = Promise.withResolvers<void>();
      let held = false;
      const subscription = await transport.consume(word, { concurrency: 1 }, async () => {
        held = true;
        await gate.promise;
      });
      await until('it is in hand', () => held);
      await stage.proxy.set('refuse');
      const closing = subscription.close();
      gate.resolve();
      await closing;
      await stage.proxy.set('none');

      const successor = await stage.openTransport();
      await successor.declare([{ name: word, bindings: [`${word}.#`] }]);
      expect(await received(successor, word, 1)).toEqual([{ envelope: sent, attempt: 2 }]);
    });

    it('refuses to publish while its store is away, and does so again when it is back', async () => {
      const word = ownWord();
      await transport.declare([{ name: word, bindings: [`${word}.#`] }]);
      await stage.proxy.set('refuse');
      await until('it knows', async () => (await publishes(transport, word)) === false);
      expect(transport.connected).toBe(false);
      await stage.proxy.set('none');
      await until('it is back', async () => publishes(transport, word));
      await until('it says so', async () => transport.connected);
    });
  });
});

async function publishes(transport: Transport, word: string): Promise<boolean> {
  const sent = envelope(`${word}.a.v1`);
  const stored = await transport.publish([sent]).catch(() => new Set());
  return stored.has(sent.id);
}

/** Takes what is in the queue, at least so many, and acknowledges it. */
async function received(transport: Transport, queue: string, count: number): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  const subscription = await transport.consume(queue, { concurrency: 10 }, async (delivery) => {
    deliveries.push(delivery);
  });
  await until(`${count} deliveries of ${queue}`, () => deliveries.length >= count);
  // Long enough for one too many to show.
  await new Promise((resolve) => setTimeout(resolve, 100));
  await subscription.close();
  return deliveries;
}
