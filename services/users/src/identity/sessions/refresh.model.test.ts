import { type identity, sessions } from '@marimo/contracts/users';
import { runSeed, testClock, tries } from '@marimo/testing';
import fc from 'fast-check';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';

/** What may happen to one session, in any order. Tokens are numbered in the order they were given out. */
type Step =
  | { readonly do: 'refresh'; readonly age: number; readonly client: 'browser' | 'phone' }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'logout'; readonly age: number };

/** Mostly the newest token, often the one before: that is where the rule is. */
const age = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.constant(1) },
  fc.nat(4),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('refresh' as const),
      age,
      client: fc.oneof(
        { weight: 3, arbitrary: fc.constant('browser' as const) },
        fc.constant('phone' as const),
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.oneof(fc.constantFrom(1, 9, 10, 11), fc.constantFrom(3_600, 4 * 86_400)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('logout' as const), age }) },
);

/** The rule in its simplest form; it knows nothing of hashes, rows or locks. */
class Model {
  ended: 'logout' | 'replay' | null = null;
  newest = 0;
  readonly uses: { readonly at: number; readonly by: string }[] = [];
  now = 0;

  refresh(token: number, client: string): number | 'refused' {
    if (this.ended !== null || this.now >= 7 * 86_400) return 'refused';
    const use = this.uses[token];
    if (use === undefined) {
      this.uses[token] = { at: this.now, by: client };
      this.newest = token + 1;
      return this.newest;
    }
    if (use.by === client && this.now - use.at <= 10 && token + 1 === this.newest) return this.newest;
    this.ended = 'replay';
    return 'refused';
  }

  logout(): void {
    if (this.ended === null && this.now < 7 * 86_400) this.ended = 'logout';
  }
}

const clock = testClock(new Date().toISOString());
const users = useUsers({ clock: clock.now });
let email: string;
beforeAll(async () => {
  email = (await peopleOf(() => users, clock.now).organisation()).user.email;
});

it('continues and ends sessions as the model does, in random sequences', async () => {
  const expectedEnds = new Map<string, string | null>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (story) => {
      const model = new Model();
      const answer = await users.call(sessions.login, { body: { email, password } });
      const signedIn = answer.body as identity.SignedIn;
      const tokens = [signedIn.refreshToken];
      const { sid } = JSON.parse(
        Buffer.from(signedIn.accessToken.split('.')[1] ?? '', 'base64url').toString(),
      );

      for (const one of story) {
        if (one.do === 'wait') {
          clock.advance(one.seconds * 1_000);
          model.now += one.seconds;
          continue;
        }
        const which = Math.max(0, model.newest - one.age);
        const refreshToken = tokens[which] ?? '';
        if (one.do === 'logout') {
          await users.call(sessions.logout, { body: { refreshToken } });
          model.logout();
          continue;
        }
        const expected = model.refresh(which, one.client);
        const answer = await users.call(
          sessions.refresh,
          { body: { refreshToken } },
          { headers: { 'user-agent': one.client } },
        );
        if (expected === 'refused') expect(answer.status).toBe(401);
        else tokens[expected] ??= answer.body.refreshToken;
        if (expected !== 'refused') expect(answer.body.refreshToken).toBe(tokens[expected]);
      }

      const [row] = await users.database.sql<{ end_reason: string | null; live: number }>(
        `select end_reason, (select count(*)::int from refresh_token t
                              where t.session_id = s.session_id and used_at is null) as live
           from session s where session_id = $1`,
        [sid],
      );
      expect(row).toEqual({ end_reason: model.ended, live: 1 });
      expectedEnds.set(sid, model.ended);
    }),
    { numRuns: tries(150, 1_000), seed: runSeed },
  );
  const told = (await users.events()).filter(({ type }) => type === sessions.ended.type);
  expect(new Map(told.map(({ subject, data }) => [subject, (data as { reason: string }).reason]))).toEqual(
    new Map([...expectedEnds].filter(([, reason]) => reason !== null)),
  );
  expect(told).toHaveLength([...expectedEnds.values()].filter((reason) => reason !== null).length);
}, 300_000);
