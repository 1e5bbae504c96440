import { Absent, Forbidden, newId, StepUpRequired } from '@marimo/contracts';
import { secondFactors, sessions } from '@marimo/contracts/users';
import { testClock } from '@marimo/testing';
import { mailOf } from '../../../test/mail.ts';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import { type PersonUnderTest, personUnderTest } from '../../../test/person-with-factors.ts';
import { useUsers } from '../../../test/use-users.ts';

const clock = testClock(new Date().toISOString());

const users = useUsers({ clock: clock.now });
let admin: PersonUnderTest;
let boris: PersonUnderTest;
beforeEach(async () => {
  admin = await personUnderTest(users, clock);
  boris = await colleagueOf(admin);
});

/** Somebody who works in this organisation and in no other. */
async function colleagueOf({ tenantId }: PersonUnderTest): Promise<PersonUnderTest> {
  const person = await personUnderTest(users, clock);
  const { sql } = users.database;
  await peopleOf(() => users, clock.now).join(tenantId, person.id);
  await sql('delete from workplace where person_id = $1 and tenant_id <> $2', [person.id, tenantId]);
  await sql('update person set last_tenant_id = $1 where person_id = $2', [tenantId, person.id]);
  await person.enter();
  return person;
}

const reset = (memberId: string, as = admin.signedIn.accessToken) =>
  users.call(secondFactors.resetOfMember, { params: { memberId } }, { as });
const factorsOf = async ({ id }: PersonUnderTest) =>
  (await users.rows<{ person_id: string }>('second_factor')).filter((row) => row.person_id === id);
const eventsAbout = async (type: string, { id }: PersonUnderTest) =>
  (await users.events()).filter(
    (each) => each.type === type && (each.data as { userId: string }).userId === id,
  );

describe('resetting the second factors of a member', () => {
  it('removes them all, ends sessions in this organisation, and the password alone signs in again', async () => {
    const app = await boris.addApp();
    await boris.addDevice();
    const pending = await boris.ask();
    expect((await reset(boris.id)).status).toBe(204);
    expect(await factorsOf(boris)).toEqual([]);
    const over = await users.call(sessions.refresh, { body: { refreshToken: boris.signedIn.refreshToken } });
    expect(over.status).toBe(401);
    const answer = { challenge: pending.challenge, code: app.nextCode() };
    expect(await users.call(secondFactors.finishLogin, { body: answer })).toBeRefused(
      secondFactors.SignInChallengeRefused,
    );
    expect((await users.call(sessions.login, { body: { email: boris.email, password } })).status).toBe(200);
    const left = await users.call(secondFactors.list, {}, { as: (await boris.enter()).accessToken });
    expect(left.body).toEqual({ items: [], recoveryCodesLeft: 0 });
  });

  it('publishes who did it', async () => {
    await boris.addApp();
    await reset(boris.id);
    const told = await eventsAbout(secondFactors.reset.type, boris);
    expect(told).toMatchObject([{ tenantid: admin.tenantId, actorid: admin.id, subject: boris.id }]);
    expect(await mailOf(users, told[0])).toMatchObject({ recipient: { email: boris.email }, url: null });
    const ended = await eventsAbout(sessions.ended.type, boris);
    expect(ended.map(({ data }) => (data as { reason: string }).reason)).toContain('second-factors');
  });

  it('changes nothing when repeated or when there are none', async () => {
    expect((await reset(boris.id)).status).toBe(204);
    expect(await eventsAbout(secondFactors.reset.type, boris)).toEqual([]);
    const going = await users.call(sessions.refresh, { body: { refreshToken: boris.signedIn.refreshToken } });
    expect(going.status).toBe(200);
  });

  it('is refused if the person has another membership, and changes nothing', async () => {
    await boris.addApp();
    await users.database.sql('insert into workplace (person_id, tenant_id) values ($1, $2)', [
      boris.id,
      boris.tenantId,
    ]);
    expect(await reset(boris.id)).toBeRefused(secondFactors.MemberElsewhere);
    expect(await factorsOf(boris)).toHaveLength(1);
  });

  it('finds no member of another organisation and no unknown person', async () => {
    const stranger = await personUnderTest(users, clock);
    await stranger.addApp();
    expect(await reset(stranger.id)).toBeRefused(Absent);
    expect(await reset(newId())).toBeRefused(Absent);
    expect(await factorsOf(stranger)).toHaveLength(1);
  });

  it('requires the permission and a recent proof of identity', async () => {
    await boris.addApp();
    expect(await reset(admin.id, boris.signedIn.accessToken)).toBeRefused(Forbidden);
    clock.advance(11 * 60_000);
    expect(await reset(boris.id)).toBeRefused(StepUpRequired);
    expect(await factorsOf(boris)).toHaveLength(1);
  });
});
