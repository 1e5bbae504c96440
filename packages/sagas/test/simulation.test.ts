import { newId } from '@marimo/contracts';
import { commanded, type Delivery } from './commanded.ts';
import { cancel, post, reserve, rules, ship } from './sale.ts';
import { tenantId, userId, useStage } from './stage.ts';

const stage = useStage();

class Died extends Error {
  override readonly name = 'Died';
}

/** What goes wrong besides, what a person does about it, and how it must end. */
interface Scenario {
  readonly refused?: readonly { readonly path: string }[];
  readonly refuseNote?: boolean;
  readonly refuseUnnote?: boolean;
  /** Once it is stuck. */
  readonly help?: 'allow and retry' | 'give up';
  readonly ends: 'done' | 'undone' | 'given-up';
  /** Net effects at the end. */
  readonly leaves: Readonly<Record<'reserved' | 'noted' | 'posted' | 'shipped', number>>;
}

const nothing = { reserved: 0, noted: 0, posted: 0, shipped: 0 };
const all = { reserved: 1, noted: 1, posted: 1, shipped: 1 };
const scenarios: Readonly<Record<string, Scenario>> = {
  'all goes well': { ends: 'done', leaves: all },
  'the first step is refused': { refused: [reserve], ends: 'undone', leaves: nothing },
  'a local step is refused': { refuseNote: true, ends: 'undone', leaves: nothing },
  'the point of no return is refused': { refused: [post], ends: 'undone', leaves: nothing },
  'a step past it is refused, and then allowed': {
    refused: [ship],
    help: 'allow and retry',
    ends: 'done',
    leaves: all,
  },
  'a step past it is refused and given up': {
    refused: [ship],
    help: 'give up',
    ends: 'given-up',
    leaves: { ...all, shipped: 0 },
  },
  'an undo is refused, and then allowed': {
    refused: [post, cancel],
    help: 'allow and retry',
    ends: 'undone',
    leaves: nothing,
  },
  'an undo is refused and given up': {
    refused: [post, cancel],
    help: 'give up',
    ends: 'given-up',
    leaves: { ...nothing, reserved: 1 },
  },
  'a local undo is refused and given up': {
    refused: [post],
    refuseUnnote: true,
    help: 'give up',
    ends: 'given-up',
    leaves: { ...nothing, noted: 1 },
  },
};

afterEach(() => Object.assign(rules, { refuseNote: false, refuseUnnote: false }));

describe.each(Object.entries(scenarios))('a saga where %s', (_, scenario) => {
  it('ends as it should, and one that ended is left alone', async () => {
    const sagaId = await play(scenario, { delivery: 'once', diesAt: [] });
    await stage.passTime();
    await stage.runDue();
    expect(await stage.stateOf(sagaId)).toBe(scenario.ends);
  });

  it.each<Delivery>(['twice', 'answer lost', 'late'])(
    'has each effect once when commands are delivered so: %s',
    async (delivery) => {
      await play(scenario, { delivery, diesAt: [] });
    },
  );

  it('has each effect once, wherever the process dies, with every command delivered twice', async () => {
    const visits = await countVisits(scenario);
    expect(visits).toBeGreaterThanOrEqual(5);
    for (let visit = 1; visit <= visits; visit += 1) {
      await play(scenario, { delivery: 'twice', diesAt: [visit] });
    }
  });

  it('has each effect once when the process dies at a step and again while it resumes', async () => {
    const visits = await countVisits(scenario);
    for (let visit = 1; visit <= visits; visit += 3) {
      await play(scenario, { delivery: 'late', diesAt: [visit, visit + 1, visit + 4] });
    }
  });
});

it('names the person who started it as author of every command, in their organisation', async () => {
  await play(scenarios['an undo is refused, and then allowed'] as Scenario, { delivery: 'once', diesAt: [] });
  for (const { authorId, organisationId } of stage.others.effects)
    expect({ authorId, organisationId }).toEqual({ authorId: userId, organisationId: tenantId });
});

interface Fate {
  readonly delivery: Delivery;
  /** Counted over the whole life of the saga. */
  readonly diesAt: readonly number[];
}

let visited = 0;

async function countVisits(scenario: Scenario): Promise<number> {
  await play(scenario, { delivery: 'twice', diesAt: [] });
  return visited;
}

async function play(scenario: Scenario, { delivery, diesAt }: Fate): Promise<string> {
  stage.others = commanded();
  stage.others.delivery = delivery;
  for (const { path } of scenario.refused ?? []) stage.others.refused.add(path);
  const { refuseNote = false, refuseUnnote = false } = scenario;
  Object.assign(rules, { refuseNote, refuseUnnote });
  visited = 0;
  stage.visit = () => {
    visited += 1;
    if (diesAt.includes(visited)) throw new Died();
  };
  const sagaId = await stage.start(newId());
  for (let turns = 0; !(await isOver(sagaId)); turns += 1) {
    if (turns === 60) throw new Error(`It does not end: ${JSON.stringify(await stage.db.rows('saga'))}`);
    await stage.runDue().catch((error: unknown) => {
      if (!(error instanceof Died)) throw error;
    });
    await helpIfStuck(sagaId, scenario);
    await stage.passTime();
  }
  expect(await stage.stateOf(sagaId)).toBe(scenario.ends);
  expect(await effectsOf(sagaId)).toEqual(scenario.leaves);
  expectOnce();
  return sagaId;
}

async function isOver(sagaId: string): Promise<boolean> {
  return ['done', 'undone', 'given-up'].includes(await stage.stateOf(sagaId));
}

/** What a person does about a saga that is stuck. */
async function helpIfStuck(sagaId: string, { help }: Scenario): Promise<void> {
  if ((await stage.stateOf(sagaId)) !== 'stuck') return;
  const { database } = stage.db;
  if (help === 'give up') {
    const by = { userId, reason: 'the customer has left' };
    await database.inTenant(tenantId, (tx) => stage.sagas.giveUp(tx, sagaId, by));
  } else {
    expect(help).toBe('allow and retry');
    // Only the undo or the last step: what turned it back stays refused.
    stage.others.refused.delete(cancel.path);
    stage.others.refused.delete(ship.path);
    await database.inTenant(tenantId, (tx) => stage.sagas.retry(tx, sagaId));
  }
}

async function effectsOf(sagaId: string): Promise<Scenario['leaves']> {
  const count = ({ path }: { path: string }) =>
    stage.others.effects.filter((effect) => effect.path === path && effect.body.saleId === sagaId).length;
  const notes = await stage.db.sql('select from note where saga_id = $1', [sagaId]);
  return {
    reserved: count(reserve) - count(cancel),
    noted: notes.length,
    posted: count(post),
    shipped: count(ship),
  };
}

function expectOnce(): void {
  const paths = stage.others.effects.map(({ path }) => path);
  expect(paths.filter((path, place) => paths.indexOf(path) !== place)).toEqual([]);
}
