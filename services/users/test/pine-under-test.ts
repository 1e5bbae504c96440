import { type identity, sessions } from '@marimo/contracts/users';
import { type ServiceUnderTest, testClock } from '@marimo/testing';
import { claimsOf } from './claims.ts';
import { peopleOf } from './organisation-with-people.ts';
import { useUsers } from './use-users.ts';

/** What one test works with; made anew for each but the service. */
interface Pine {
  readonly users: ServiceUnderTest;
  /** Administers Pine. */
  readonly anna: identity.SignedIn;
  /** Its accountant. */
  readonly boris: identity.SignedIn;
}

/** For a file of tests: one service on a clock of its own, and for each test an organisation, Pine, with two people. */
export function pineUnderTest(since = new Date().toISOString()) {
  const clock = testClock(since);
  const users = useUsers({ clock: clock.now });
  let anna: identity.SignedIn;
  let boris: identity.SignedIn;
  beforeEach(async () => {
    anna = await people.organisation('Pine');
    boris = await people.member(anna, ['accountant']);
  });

  const people = peopleOf(() => users, clock.now);
  const sql = <Row = Record<string, unknown>>(text: string, ...values: unknown[]) =>
    users.database.sql<Row>(text, values);

  return {
    clock,
    people,
    present: (): Pine => ({ users, anna, boris }),
    sql,
    /** As somebody who proved just now who they are; moves the clock, because what is void is void to the millisecond. */
    async as(who: identity.SignedIn): Promise<{ readonly as: string }> {
      clock.advance(1);
      return { as: await people.anew(who) };
    },
    /** Whether a verifier that has polled refuses this token. */
    async isVoid(token: identity.SignedIn): Promise<boolean> {
      const { sid, iat } = claimsOf(token);
      const rows = await sql<{ revoked_at: Date }>('select * from revocation where session_id = $1', sid);
      return rows.some((row) => row.revoked_at.getTime() >= Math.round(iat * 1_000));
    },
    refreshed: ({ refreshToken }: identity.SignedIn) =>
      users.call(sessions.refresh, { body: { refreshToken } }),
    eventsAbout: async (subject: string, type: string) =>
      (await users.events()).filter((event) => event.subject === subject && event.type === type),
  };
}
