import { newId, SagaIdReused, SagaOver, type SagaState } from '@marimo/contracts';
import { runInContext } from '@marimo/observability';
import { checkCatalogue } from '@marimo/postgres';
import { z } from 'zod';
import { defineSaga, type SagaDefinition } from '../src/index.ts';
import { forgetOldSagas } from '../src/runner.ts';
import { commanded } from './commanded.ts';
import { cancel, post, reserve, sale, ship } from './sale.ts';
import { tenantId, userId, useStage } from './stage.ts';

const stage = useStage();
const whole = sale as unknown as SagaDefinition;
beforeEach(() => {
  stage.others = commanded();
  stage.visit = () => {};
  stage.definitions = [whole];
});

const read = async (sagaId: string) => {
  const found = await stage.db.database.inTenant(tenantId, (tx) => stage.sagas.get(tx, sagaId));
  if (found === undefined) throw new Error('there is no such saga');
  return found;
};
const decide = (sagaId: string, what: 'retry' | 'giveUp') =>
  stage.db.database.inTenant(tenantId, (tx) =>
    what === 'retry'
      ? stage.sagas.retry(tx, sagaId)
      : stage.sagas.giveUp(tx, sagaId, { userId, reason: 'a reason' }),
  );
const sent = () => stage.others.effects.map(({ path }) => path);
async function eventsOf(sagaId: string) {
  const rows = await stage.db.sql<{ envelope: { type: string; actorid?: string; subject: string } }>(
    `select envelope from outbox where envelope->>'subject' = $1 order by position`,
    [sagaId],
  );
  return rows.map(
    ({ envelope: { type, actorid } }) => `${type} ${actorid === userId ? 'by the person' : actorid}`,
  );
}
async function turns(count: number) {
  for (let turn = 0; turn < count; turn += 1) {
    await stage.runDue();
    await stage.passTime();
  }
}

describe('starting a saga', () => {
  it('belongs to the transaction that makes it necessary', async () => {
    const sagaId = newId();
    const failing = stage.db.database.inTenant(tenantId, async (tx) => {
      await stage.sagas.start(tx, sale, { sagaId, input: { saleId: sagaId } });
      throw new Error('no sale after all');
    });
    await expect(failing).rejects.toThrow('no sale');
    expect(await stage.stateOf(sagaId)).toBe('absent');
  });

  it('happens once for each id, and is refused for other content', async () => {
    const sagaId = await stage.start();
    await stage.start(sagaId);
    await expect(stage.start(sagaId, newId())).rejects.toThrow(SagaIdReused);
    await stage.runDue();
    await stage.start(sagaId); // also when it is long over
    expect(await stage.stateOf(sagaId)).toBe('done');
    expect((await eventsOf(sagaId)).filter((event) => event.includes('started'))).toHaveLength(1);
  });

  it('is refused where the service does not declare it', async () => {
    stage.definitions = [];
    await expect(stage.start()).rejects.toThrow('does not declare the saga shop.sell');
  });
});

describe('a saga that runs', () => {
  it('tells what happens to it, in the name of the person who started it', async () => {
    const [done, undone] = [await stage.start(), await stage.start()];
    stage.others.during = () => {
      if (stage.others.effects.length >= 3) stage.others.refused.add(post.path).add(reserve.path);
    };
    await turns(1);
    expect([await stage.stateOf(done), await stage.stateOf(undone)]).toEqual(['done', 'undone']);
    const by = 'by the person';
    expect(await eventsOf(done)).toEqual([`shop.saga-started.v1 ${by}`, `shop.saga-done.v1 ${by}`]);
    expect(await eventsOf(undone)).toEqual([`shop.saga-started.v1 ${by}`, `shop.saga-undone.v1 ${by}`]);
    expect((await read(undone)).undoneBecause).toEqual({
      step: 'reserve',
      code: 'main.rule-says-no',
      detail: 'A rule says no',
    });
  });

  it('goes on trying while a service is away, and says whom it waits for before a minute has passed', async () => {
    const sagaId = await stage.start();
    stage.others.away.add(post.path);
    await turns(3);
    expect(await read(sagaId)).toMatchObject({ state: 'running', needs: null, problem: { step: 'post' } });
    await stage.db.sql(`update saga set failing_since = failing_since - interval '59 seconds'`);
    await turns(3);
    expect(await read(sagaId)).toMatchObject({
      state: 'running',
      needs: { who: 'service', name: 'accounting' },
      problem: { step: 'post', code: 'platform.bad-upstream' },
    });
    expect((await eventsOf(sagaId)).filter((event) => event.includes('waiting'))).toHaveLength(1);
    stage.others.away.clear();
    await turns(1);
    expect(await read(sagaId)).toMatchObject({
      state: 'done',
      needs: null,
      problem: null,
      failingSince: null,
    });
  });

  it('believes no refusal while an attempt before it may still arrive', async () => {
    const sagaId = await stage.start();
    stage.others.delivery = 'late';
    await stage.runDue(); // the first attempt is on its way, and nobody heard of it
    stage.others.delivery = 'once';
    stage.others.refused.add(reserve.path);
    await stage.db.sql('update saga set due_at = clock_timestamp() where due_at is not null');
    const arrivesFirst = stage.others.call;
    stage.others.call = async () => {
      throw Object.assign(await refusal(), {});
    };
    await stage.runDue();
    expect(await read(sagaId)).toMatchObject({ state: 'running', problem: { code: 'main.rule-says-no' } });
    stage.others.call = arrivesFirst;
    stage.others.refused.clear();
    await stage.passTime();
    await stage.runDue();
    expect(await stage.stateOf(sagaId)).toBe('done');
    expect(sent().filter((path) => path === reserve.path)).toHaveLength(1);

    async function refusal(): Promise<Error> {
      const other = commanded();
      other.refused.add(reserve.path);
      const body = { saleId: sagaId };
      return other.call(reserve, { body }).then(
        () => new Error('was not refused'),
        (error: Error) => error,
      );
    }
  });

  it('is stuck, and needs the operator, where every instance ends in the middle of the same step', async () => {
    const sagaId = await stage.start();
    stage.visit = (place) => {
      if (place === 'saga.beforeCommand') throw new Error('died');
    };
    for (let crash = 0; crash < 12; crash += 1) {
      await stage.runDue().catch(() => {});
      await stage.passTime();
    }
    expect(await read(sagaId)).toMatchObject({
      state: 'stuck',
      needs: { who: 'operator', name: 'shop' },
      problem: { step: 'reserve', code: 'platform.saga-step-broken' },
    });
    stage.visit = () => {};
    await decide(sagaId, 'retry');
    await turns(1);
    expect(await stage.stateOf(sagaId)).toBe('done');
  });

  it('leaves the newer state alone when an instance comes back that had lost it', async () => {
    const sagaId = await stage.start();
    const asleep = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    stage.others.during = (path) => {
      if (path !== post.path) return;
      stage.others.during = () => {};
      reached.resolve();
      return asleep.promise;
    };
    const sleeper = stage.runDue();
    await reached.promise;
    await stage.passTime(); // its lease
    stage.others.away.add(ship.path);
    await stage.runDue();
    const standing = () => stage.db.sql('select * from saga where saga_id = $1', [sagaId]);
    const before = await standing();
    expect(before).toMatchObject([{ state: 'running', failures: 1 }]);
    stage.others.away.add(post.path); // what the sleeper hears
    asleep.resolve();
    await sleeper;
    expect(await standing()).toEqual(before);
    expect(new Set(sent()).size).toBe(sent().length);
  });
});

describe('a definition that changes while sagas of it run', () => {
  const shorter = (...names: string[]): SagaDefinition => ({
    ...whole,
    steps: whole.steps.filter(({ name }) => names.includes(name)),
  });

  it('makes a saga stuck whose step is gone, which goes on once it is back', async () => {
    const sagaId = await stage.start();
    stage.others.away.add(post.path);
    await turns(1);
    stage.definitions = [shorter('reserve', 'note', 'ship')];
    await turns(1);
    expect(await read(sagaId)).toMatchObject({
      state: 'stuck',
      needs: { who: 'operator', name: 'shop' },
      problem: { step: 'post', code: 'platform.saga-step-unknown' },
    });
    expect((await eventsOf(sagaId)).at(-1)).toContain('saga-stuck');
    stage.definitions = [whole];
    stage.others.away.clear();
    await decide(sagaId, 'retry');
    await turns(1);
    expect(await stage.stateOf(sagaId)).toBe('done');
  });

  it('gives a step that was added only to sagas that start afterwards', async () => {
    stage.definitions = [shorter('reserve', 'note', 'post')];
    const definition = stage.definitions[0] as SagaDefinition;
    const sagaId = newId();
    await stage.db.database.inTenant(tenantId, (tx) =>
      stage.sagas.start(tx, definition, { sagaId, input: { saleId: sagaId } }),
    );
    stage.definitions = [whole];
    await turns(1);
    expect(await stage.stateOf(sagaId)).toBe('done');
    expect(sent()).toEqual([reserve.path, post.path]);
  });
});

describe('giving up', () => {
  it('sends nothing of a saga that has not begun', async () => {
    const sagaId = await stage.start();
    await decide(sagaId, 'giveUp');
    await turns(1);
    expect(await read(sagaId)).toMatchObject({
      state: 'undone',
      givenUpBy: userId,
      giveUpReason: 'a reason',
    });
    expect(sent()).toEqual([]);
  });

  it('learns first whether a step was done whose answer was lost', async () => {
    const sagaId = await stage.start();
    stage.others.delivery = 'answer lost';
    await stage.runDue();
    expect(sent()).toEqual([reserve.path]);
    await decide(sagaId, 'giveUp');
    stage.others.delivery = 'once';
    await turns(1);
    expect(await stage.stateOf(sagaId)).toBe('undone');
    expect(sent()).toEqual([reserve.path, cancel.path]);
    expect(await eventsOf(sagaId)).toEqual([
      'shop.saga-started.v1 by the person',
      'shop.saga-given-up.v1 undefined', // by whoever decides it, whose request is not part of this test
      'shop.saga-undone.v1 by the person',
    ]);
  });

  it('ends a saga as it is once the point of no return turns out to be behind it', async () => {
    const sagaId = await stage.start();
    stage.others.during = (path) => {
      if (path === post.path) stage.others.away.add(ship.path);
    };
    await turns(1);
    await decide(sagaId, 'giveUp');
    await turns(1);
    expect(await stage.stateOf(sagaId)).toBe('given-up');
    expect(await stage.stepsOf(sagaId)).toEqual({
      reserve: 'done',
      note: 'done',
      post: 'done',
      ship: 'waiting',
    });
  });

  it('leaves a step only once its undoing is known to get no further, however often it is asked', async () => {
    const sagaId = await stage.start();
    stage.others.refused.add(post.path);
    stage.others.away.add(cancel.path);
    await turns(1);
    for (let times = 0; times < 3; times += 1) {
      await decide(sagaId, 'giveUp');
      await turns(1); // fails once more, as while that service starts anew
    }
    expect(await stage.stepsOf(sagaId)).toMatchObject({ reserve: 'done', note: 'undone' });
    await stage.db.sql(`update saga set failing_since = failing_since - interval '1 minute'`);
    await turns(1);
    expect(await read(sagaId)).toMatchObject({ state: 'undoing', needs: { who: 'service', name: 'main' } });
    await decide(sagaId, 'giveUp');
    await turns(1);
    expect(await stage.stateOf(sagaId)).toBe('given-up');
    expect(await stage.stepsOf(sagaId)).toMatchObject({ reserve: 'left', note: 'undone' });
  });

  it('is refused, like a retry, once the saga has ended', async () => {
    const sagaId = await stage.start();
    await turns(1);
    await expect(decide(sagaId, 'giveUp')).rejects.toThrow(SagaOver);
    await expect(decide(sagaId, 'retry')).rejects.toThrow(SagaOver);
    await expect(decide(newId(), 'retry')).rejects.toThrow('does not exist');
  });
});

describe('the rows of sagas', () => {
  it('are protected like all others, and show the relay only what is due', async () => {
    expect(await checkCatalogue(stage.db.server, { definers: [] })).toEqual([]);
    const peek = stage.db.relay.withoutTenant((tx) => tx.rows('select input from saga'));
    await expect(peek).rejects.toThrow('permission denied');
  });

  it('are forgotten 90 days after the end, and never before it', async () => {
    const [old, recent] = [await stage.start(), await stage.start()];
    await stage.runDue();
    stage.others.refused.add(ship.path);
    const stuck = await stage.start();
    await stage.runDue();
    await stage.db.sql(
      `update saga set started_at = started_at - interval '200 days',
              finished_at = finished_at - case saga_id when $1 then interval '89 days' else interval '91 days' end`,
      [recent],
    );
    await forgetOldSagas(stage.db.relay);
    const left = await Promise.all([old, recent, stuck].map((sagaId) => stage.stateOf(sagaId)));
    expect(left).toEqual(['absent', 'done', 'stuck']);
    expect(await stage.stepsOf(old)).toEqual({});
  });

  it('are listed newest first, page by page, and by state', async () => {
    const other = newId();
    const started: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const sagaId = newId();
      await runInContext({ requestId: 'x', tenantId: other }, () =>
        stage.db.database.inTenant(other, (tx) =>
          stage.sagas.start(tx, sale, { sagaId, input: { saleId: sagaId } }),
        ),
      );
      started.unshift(sagaId);
    }
    const list = (after: [Date, string] | undefined, states?: readonly SagaState[]) =>
      stage.db.database.inTenant(other, (tx) => stage.sagas.list(tx, { states, after, limit: 2 }));
    const first = await list(undefined);
    const last = first[1] as (typeof first)[number];
    const second = await list([last.startedAt, last.sagaId]);
    expect([...first, ...second].map(({ sagaId }) => sagaId)).toEqual(started);
    expect(await list(undefined, ['done', 'stuck'])).toEqual([]);
    expect(await list(undefined, ['stuck', 'running'])).toHaveLength(2);
    expect(first[0]).toMatchObject({ kind: 'shop.sell', state: 'running', startedBy: null });
  });
});

describe('a declaration', () => {
  const local = (name: string, undo?: 'nothing' | 'point-of-no-return') => ({
    name,
    run: async () => {},
    ...(undo !== undefined && { undo }),
  });
  const declare = (...steps: ReturnType<typeof local>[]) =>
    defineSaga({ kind: 'shop.x', input: z.strictObject({}), steps: (step) => steps.map(step.local) });

  it('does not compile when a command is sent something else, or a reply is read as another', () => {
    defineSaga({
      kind: 'shop.y',
      input: z.strictObject({ saleId: z.uuid() }),
      steps: ({ command }) => [
        // @ts-expect-error the command takes a body with the sale
        command({ name: 'a', command: reserve, request: () => ({ body: {} }), undo: 'nothing' }),
        command({
          name: 'b',
          command: post,
          request: ({ input, replyOf }) => {
            // @ts-expect-error the reply has no such field
            const reservationId = replyOf('a', reserve).number;
            return { body: { ...input, reservationId } };
          },
          undo: 'nothing',
        }),
      ],
    });
  });

  it.each([
    ['has no step', () => declare(), 'a saga has steps'],
    ['leaves open how a step is undone', () => declare(local('a')), 'a says nothing of its undo'],
    [
      'undoes a step past the point of no return',
      () => declare(local('a', 'point-of-no-return'), local('b', 'nothing')),
      'b comes after the point of no return and has an undo',
    ],
    ['names two steps alike', () => declare(local('a', 'nothing'), local('a')), 'two steps are called a'],
    ['names a step oddly', () => declare(local('A b', 'nothing')), 'a step is not called A b'],
  ])('is refused when it %s', (_, declared, why) => {
    expect(declared).toThrow(why);
  });
});
