import { secondFactors } from '@marimo/contracts/users';
import { runSeed, testClock, tries } from '@marimo/testing';
import fc from 'fast-check';
import {
  type AppUnderTest,
  type PersonUnderTest,
  personUnderTest,
  wrongCode,
} from '../../../test/person-with-factors.ts';
import { statusesOf } from '../../../test/race.ts';
import { useUsers } from '../../../test/use-users.ts';

/** What may happen with the codes of one app, in any order. */
type Act =
  | { readonly do: 'wait'; readonly seconds: number }
  /** The code of so many steps from now: 0 is what the app shows; the same again is a replay. */
  | { readonly do: 'send'; readonly step: number; readonly times: number }
  | { readonly do: 'guess' };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      step: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: -1, max: 1 }) },
        fc.constantFrom(-3, -2, 2, 3),
      ),
      times: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.constantFrom(2, 3)), // at the same moment
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.oneof(fc.constantFrom(1, 10, 29, 30, 31, 60), fc.constantFrom(300, 3_700)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('guess' as const) }) },
);

/** The rule in its simplest form; it knows nothing of secrets, rows or locks. All times are seconds. */
class Model {
  lastStep: number;
  failures = 0;
  blockedUntil = 0;

  constructor(now: number) {
    this.lastStep = Math.floor(now / 30);
  }

  send(now: number, step: number | 'wrong'): 200 | 401 | 429 {
    if (now < this.blockedUntil) return 429;
    const current = Math.floor(now / 30);
    if (step !== 'wrong' && Math.abs(step - current) <= 1 && step > this.lastStep) {
      this.lastStep = step;
      this.failures = 0;
      this.blockedUntil = 0;
      return 200;
    }
    this.failures += 1;
    if (this.failures >= 5) this.blockedUntil = now + Math.min(3_600, 30 * 2 ** (this.failures - 5));
    return 401;
  }
}

// On a whole second, so that the model can count in them.
const clock = testClock(new Date(Math.floor(Date.now() / 1_000) * 1_000).toISOString());
const nowSeconds = () => clock.now().getTime() / 1_000;

const users = useUsers({ clock: clock.now });

async function play(anna: PersonUnderTest, app: AppUnderTest, model: Model, one: Act): Promise<void> {
  if (one.do === 'wait') return clock.advance(one.seconds * 1_000);
  const times = one.do === 'send' ? one.times : 1;
  const step = one.do === 'send' ? Math.floor(nowSeconds() / 30) + one.step : 'wrong';
  const code = one.do === 'send' ? app.code(one.step) : wrongCode(app);
  // A sign-in for each, so that none comes to the end of its tries.
  const challenges = await Promise.all(
    Array.from({ length: times }, async () => (await anna.ask()).challenge),
  );
  const answers = await Promise.all(
    challenges.map((challenge) => users.call(secondFactors.finishLogin, { body: { challenge, code } })),
  );
  const expected = challenges.map(() => model.send(nowSeconds(), step));
  expect(statusesOf(answers)).toEqual(expected.sort((a, b) => a - b));
}

it('accepts and refuses codes as the model does, in random sequences', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 14 }), async (story) => {
      const anna = await personUnderTest(users, clock);
      const app = await anna.addApp();
      const model = new Model(nowSeconds());
      for (const one of story) await play(anna, app, model, one);
      const [lockout] = await users.database.sql<{ failures: number }>(
        'select failures from second_factor_standing where person_id = $1',
        [anna.id],
      );
      expect(lockout?.failures).toBe(model.failures);
    }),
    { numRuns: tries(15, 50), seed: runSeed },
  );
}, 120_000);
