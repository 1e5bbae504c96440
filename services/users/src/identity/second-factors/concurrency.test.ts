import { identity, organisations, people, secondFactors, sessions } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { tokenOf } from '../../../test/mail.ts';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import {
  annaUnderTest,
  codeOf,
  type PersonUnderTest,
  personUnderTest,
} from '../../../test/person-with-factors.ts';
import { raceAt } from '../../../test/race.ts';

const { clock, present } = annaUnderTest();
const newPassword = 'an entirely different horse';
let users: ServiceUnderTest;
let anna: PersonUnderTest;
beforeEach(() => {
  ({ users, anna } = present());
});

type Answer = Awaited<ReturnType<typeof users.call>>;
const goesOn = async (answer: Answer) => {
  if (answer.status !== 200) return false;
  const { refreshToken } = identity.SignedIn.parse(answer.json);
  return (await users.call(sessions.refresh, { body: { refreshToken } })).status === 200;
};
const held = (sql: string, ...values: readonly string[]) => ({ sql, values });

/** Where the person works too. */
async function placeElsewhere(who: PersonUnderTest): Promise<string> {
  const { tenantId } = await personUnderTest(users, clock);
  await peopleOf(() => users, clock.now).join(tenantId, who.id);
  return tenantId;
}

describe('a concurrent sign-in', () => {
  it('with the old password and a second factor does not outlive the new password', async () => {
    const app = await anna.addApp();
    const { challenge } = await anna.ask();
    await users.call(people.askPasswordReset, { body: { email: anna.email } });
    const asked = (await users.events()).filter(
      ({ type, subject }) => type === people.passwordResetAsked.type && subject === anna.id,
    );
    const token = await tokenOf(users, asked.at(-1));
    const code = app.nextCode();
    const [entered, reset] = await raceAt<[Answer, Answer]>(
      users,
      anna.tenantId,
      held('select from organisation where tenant_id = $1 for update', anna.tenantId),
      [
        () => users.call(secondFactors.finishLogin, { body: { challenge, code } }),
        () => users.call(people.finishPasswordReset, { body: { token, password: newPassword } }),
      ],
    );
    expect(reset.status).toBe(200);
    expect(await goesOn(entered)).toBe(false);
  });

  it('with the password alone does not outlive the second factor that ends all other sessions', async () => {
    const as = anna.signedIn.accessToken;
    const { factorId, secret } = (
      await users.call(secondFactors.enrolTotp, { body: { name: 'Telephone' } }, { as })
    ).body;
    const body = { code: codeOf(secret, clock), endOtherSessions: true };
    const [entered, added] = await raceAt<[Answer, Answer]>(
      users,
      anna.tenantId,
      held('select from member where tenant_id = $1 for update', anna.tenantId),
      [
        () => users.call(sessions.login, { body: { email: anna.email, password } }),
        () => users.call(secondFactors.confirmTotp, { params: { factorId }, body }, { as }),
      ],
    );
    expect(added.status).toBe(200);
    expect(await goesOn(entered)).toBe(false);
  });

  it('with the password alone is asked for a second factor added a moment before', async () => {
    const as = anna.signedIn.accessToken;
    const { factorId, secret } = (
      await users.call(secondFactors.enrolTotp, { body: { name: 'Telephone' } }, { as })
    ).body;
    const body = { code: codeOf(secret, clock) };
    const [added, entered] = await raceAt<[Answer, Answer]>(
      users,
      anna.tenantId,
      held('select from person where person_id = $1 for no key update', anna.id),
      [
        () => users.call(secondFactors.confirmTotp, { params: { factorId }, body }, { as }),
        () => users.call(sessions.login, { body: { email: anna.email, password } }),
      ],
    );
    expect([added.status, entered.status]).toEqual([200, 202]);
  });

  it('in another organisation, by switching, does not outlive a new password', async () => {
    const there = await placeElsewhere(anna);
    const phone = anna.signedIn;
    const { accessToken: as } = await anna.enter();
    // Where they were last is where they go: nothing is noted of it.
    await users.database.sql(
      'update person set last_tenant_id = $2, last_seen_at = $3 where person_id = $1',
      [anna.id, there, clock.now()],
    );
    const [switched, changed] = await raceAt<[Answer, Answer]>(
      users,
      there,
      held('select from organisation where tenant_id = $1 for update', there),
      [
        () =>
          users.call(organisations.switchTo, { body: { organisationId: there } }, { as: phone.accessToken }),
        () => users.call(people.changePassword, { body: { current: password, new: newPassword } }, { as }),
      ],
    );
    expect(changed.status).toBe(200);
    expect(await goesOn(switched)).toBe(false);
  });
});

it('a password alone does not renew the proof of identity when a second factor was added a moment before', async () => {
  const { accessToken: as } = anna.signedIn;
  const { sid } = claimsOf(as);
  const phone = await anna.enter();
  const other = { as: phone.accessToken };
  const { factorId, secret } = (
    await users.call(secondFactors.enrolTotp, { body: { name: 'Telephone' } }, other)
  ).body;
  const body = { code: codeOf(secret, clock) };
  const [proved, added] = await raceAt<[Answer, Answer]>(
    users,
    anna.tenantId,
    held('select from session where tenant_id = $1 and session_id = $2 for update', anna.tenantId, sid),
    [
      () => users.call(secondFactors.stepUp, { body: { password } }, { as }),
      () => users.call(secondFactors.confirmTotp, { params: { factorId }, body }, other),
    ],
  );
  expect(added.status).toBe(200);
  expect(proved).toBeRefused(secondFactors.SecondFactorNeeded);
});

it('an administrator cannot reset second factors of a person who is joining another organisation', async () => {
  await anna.addApp();
  const { tenantId: elsewhere } = await personUnderTest(users, clock);
  const [reset] = await raceAt<[Answer]>(
    users,
    elsewhere,
    held('insert into workplace (person_id, tenant_id) values ($1, $2)', anna.id, elsewhere),
    [
      () =>
        users.call(
          secondFactors.resetOfMember,
          { params: { memberId: anna.id } },
          { as: anna.signedIn.accessToken },
        ),
    ],
  );
  expect(reset).toBeRefused(secondFactors.MemberElsewhere);
});
