import { Absent, Forbidden, newId, StepUpRequired, Unauthenticated } from '@marimo/contracts';
import {
  type identity,
  invitations,
  mailLinks,
  members,
  organisations,
  people,
  personalData,
  sessions,
} from '@marimo/contracts/users';
import { testClock } from '@marimo/testing';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import { raceAt } from '../../../test/race.ts';
import { linked, published, tablesWith, theirs, traces } from '../../../test/traces.ts';
import { useUsers } from '../../../test/use-users.ts';
import { forgetOldLinks } from '../mail-links/index.ts';

const clock = testClock(new Date().toISOString());
const users = useUsers({ clock: clock.now });
const staff = peopleOf(() => users, clock.now);

/** Anna directs Pine; Boris works there and, unless told otherwise, for nobody else. */
let anna: identity.SignedIn;
let boris: identity.SignedIn;
beforeEach(async () => {
  anna = await staff.organisation('Pine');
  boris = await staff.member(anna);
});

const erase = ({ accessToken: as }: identity.SignedIn, email: string) =>
  users.call(personalData.eraseMe, { body: { email } }, { as });
const eraseBy = ({ accessToken: as }: identity.SignedIn, personId: string) =>
  users.call(personalData.eraseMember, { params: { personId } }, { as });
const askReset = (email: string) => users.call(people.askPasswordReset, { body: { email } });
const anHourLater = async () => {
  clock.advance(60 * 60_000);
  await forgetOldLinks({ database: users.database.database, clock: clock.now } as never);
};
const eventsOf = async (type: string, personId: string) =>
  (await users.events()).filter((event) => event.type === type && event.subject === personId);

describe('erasing oneself', () => {
  it('leaves no trace of address, name and devices in any table', async () => {
    const { email } = boris.user;
    await users.database.sql("update person set name = 'Boris Godunov' where person_id = $1", [
      boris.user.id,
    ]);
    await users.call(
      invitations.invite,
      { body: { email }, idempotencyKey: newId() },
      { as: (await staff.organisation('Ash')).accessToken },
    );
    await users.call(invitations.invite, { body: { email: 'x@example.com' } }, { as: anna.accessToken });
    await traces(users, boris, clock.now());
    await linked(users, boris, `Company ${theirs(boris)}`, clock.now());
    expect((await erase(boris, email.toUpperCase())).status).toBe(204);
    // The address of the last mail, for the hour in which whoever keeps it may ask.
    await published(users);
    expect(await tablesWith(users, email)).toEqual(['mail_link']);
    await anHourLater();
    for (const trace of [email, 'Godunov', theirs(boris)])
      expect([trace, await tablesWith(users, trace)]).toEqual([trace, []]);
  });

  it('ends every membership and session, and refuses every sign-in', async () => {
    const other = await staff.organisation('Oak');
    const there = await staff.member(other, ['manager'], { who: boris });
    await erase(there, boris.user.email);
    for (const { refreshToken } of [boris, there]) {
      expect((await users.call(sessions.refresh, { body: { refreshToken } })).status).toBe(401);
    }
    const again = await users.call(sessions.login, { body: { email: boris.user.email, password } });
    expect(again.problem?.code).toBe('users.wrong-credentials');
    const ended = (await users.events()).filter(
      ({ type, data }) =>
        type === sessions.ended.type && (data as { userId: string }).userId === boris.user.id,
    );
    expect(new Set(ended.map(({ data }) => (data as { reason: string }).reason))).toEqual(
      new Set(['erasure']),
    );
    expect(await eventsOf(members.left.type, boris.user.id)).toHaveLength(2);
    const memberPage = await users.call(members.list, { query: {} }, { as: other.accessToken });
    expect(memberPage.body.items).toContainEqual(
      expect.objectContaining({
        id: boris.user.id,
        name: personalData.erasedName,
        email: null,
        state: 'left',
      }),
    );
  });

  it('keeps the ids, so that books and audit stay complete', async () => {
    await erase(boris, boris.user.email);
    const of = (rows: { person_id: string }[]) =>
      rows.filter(({ person_id: id }) => id === boris.user.id).length;
    for (const table of ['person', 'member', 'member_period', 'role_assignment']) {
      expect([table, of(await users.rows(table))]).toEqual([table, 1]);
    }
  });

  it('is published in each organisation by id, and confirmed to the person in one last e-mail', async () => {
    const other = await staff.organisation('Oak');
    const there = await staff.member(other, ['manager'], { who: boris });
    await erase(there, boris.user.email);
    const told = await eventsOf(personalData.erased.type, boris.user.id);
    const farewells = told.map(({ tenantid, data }) => [tenantid, (data as { farewell: boolean }).farewell]);
    expect(Object.fromEntries(farewells)).toEqual({
      [anna.organisation.id]: false,
      [other.organisation.id]: true,
    });
    expect(JSON.stringify(told)).not.toContain('example.com');
    const [{ linkId } = { linkId: '' }] = told.map(({ data }) => data as { linkId: string });
    const { body } = await users.call(mailLinks.follow, { params: { linkId } });
    expect(body).toMatchObject({ purpose: 'notice', recipient: { email: boris.user.email } });
    const kept = await users.rows<{ link_id: string }>('mail_link');
    // The address for an hour, but not whose it was.
    expect(kept.find((row) => row.link_id === linkId)).toMatchObject({ person_id: null });
  });

  it('frees the address for a new account', async () => {
    await erase(boris, boris.user.email);
    const { email } = boris.user;
    const answer = await users.call(sessions.register, {
      body: { organisation: 'New', name: 'Boris', email, password },
    });
    expect(answer.body.user.id).not.toBe(boris.user.id);
    expect((await users.call(sessions.me, {}, { as: answer.body.accessToken })).body.user.name).toBe('Boris');
  });

  it('is refused for the last administrator of any organisation, and then erases nothing', async () => {
    const there = await staff.member(await staff.organisation('Oak'), ['user'], { who: anna });
    const before = await users.rows('person');
    expect(await erase(there, anna.user.email)).toBeRefused(organisations.LastAdministrator);
    const {
      version: _,
      last_seen_at: __,
      ...same
    } = (before.find((row) => row['person_id'] === anna.user.id) ?? {}) as Record<string, unknown>;
    expect(await users.rows('person')).toContainEqual(expect.objectContaining(same));
    expect((await users.call(sessions.refresh, { body: { refreshToken: there.refreshToken } })).status).toBe(
      200,
    );
    expect(await eventsOf(personalData.erased.type, anna.user.id)).toEqual([]);
  });

  it("requires the person's own address and a recent proof of identity", async () => {
    for (const wrong of ['', anna.user.email, 'nobody@example.com']) {
      expect(await erase(boris, wrong)).toBeRefused(personalData.OwnEmailDiffers);
    }
    clock.advance(11 * 60_000);
    expect(await erase(boris, boris.user.email)).toBeRefused(StepUpRequired);
    expect(await eventsOf(personalData.erased.type, boris.user.id)).toEqual([]);
  });

  it('is not undone by requests with a token issued before', async () => {
    await erase(boris, boris.user.email);
    const as = { as: boris.accessToken };
    const answers = [
      await users.call(people.changeEmail, { body: { email: 'boris-again@example.com' } }, as),
      await users.call(people.askEmailVerification, {}, as),
    ];
    for (const answer of answers) expect(answer).toBeRefused(Unauthenticated);
    expect(await tablesWith(users, 'boris-again')).toEqual([]);
    const mails = await users.rows<{ person_id: string | null }>('mail_link');
    expect(mails.filter(({ person_id: id }) => id === boris.user.id)).toEqual([]);
  });

  it('is not undone by a concurrent request for a new password', async () => {
    const { email } = boris.user;
    const lock = { sql: 'select from mail_link where email_key = $1 for update', values: [email] };
    await askReset(email);
    await raceAt(users, boris.organisation.id, lock, [() => erase(boris, email), () => askReset(email)]);
    const mails = await users.rows<{ email: string; purpose: string }>('mail_link');
    expect(mails.filter((mail) => mail.email === email).map(({ purpose }) => purpose)).toEqual(['notice']);
  });

  it('happens once when it is requested twice at the same time', async () => {
    const both = await Promise.all([erase(boris, boris.user.email), erase(boris, boris.user.email)]);
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([204, 422]);
    expect(await eventsOf(personalData.erased.type, boris.user.id)).toHaveLength(1);
  });
});

describe('an administrator', () => {
  const remove = () =>
    users.call(members.remove, { params: { memberId: boris.user.id } }, { as: anna.accessToken });
  const seen = async () =>
    (await users.call(members.get, { params: { memberId: boris.user.id } }, { as: anna.accessToken })).body;

  it('erases a former member, and the person if no other organisation knows them', async () => {
    await traces(users, boris, clock.now());
    await remove();
    expect((await seen()).name).toBe('Boris');
    expect((await eraseBy(anna, boris.user.id)).status).toBe(204);
    expect(await seen()).toMatchObject({
      name: personalData.erasedName,
      email: null,
      state: 'left',
      lastSeenAt: null,
    });
    await anHourLater();
    await published(users);
    for (const trace of [boris.user.email, theirs(boris)]) expect(await tablesWith(users, trace)).toEqual([]);
    expect(await eventsOf(personalData.erased.type, boris.user.id)).toMatchObject([
      { actorid: anna.user.id, data: { farewell: true } },
    ]);
  });

  it('erases once when requested again', async () => {
    await remove();
    await eraseBy(anna, boris.user.id);
    expect((await eraseBy(anna, boris.user.id)).status).toBe(204);
    expect(await eventsOf(personalData.erased.type, boris.user.id)).toHaveLength(1);
  });

  it('cannot affect what another organisation keeps, nor learn that it exists', async () => {
    const other = await staff.organisation('Oak');
    const there = await staff.member(other, ['manager'], { who: boris });
    await traces(users, there, clock.now());
    await remove();
    const answer = await eraseBy(anna, boris.user.id);
    expect([answer.status, answer.json]).toEqual([204, null]);
    expect((await seen()).name).toBe(personalData.erasedName);
    const found = await users.call(members.list, { query: { text: 'Boris' } }, { as: anna.accessToken });
    expect(found.body.items).toEqual([]);
    expect(await eventsOf(personalData.erased.type, boris.user.id)).toMatchObject([
      { data: { farewell: false } },
    ]);

    const mine = await users.call(sessions.me, {}, { as: there.accessToken });
    expect(mine.body.user).toMatchObject({ name: 'Boris', email: boris.user.email });
    expect((await users.call(sessions.refresh, { body: { refreshToken: there.refreshToken } })).status).toBe(
      200,
    );
    const kept = await users.rows<{ purpose: string; person_id: string }>('mail_link');
    expect(kept).toContainEqual(
      expect.objectContaining({ purpose: 'reset-password', person_id: boris.user.id }),
    );
  });

  it.each(['one after the other', 'at the same moment'])(
    'is the last of two that knew them, who erase them %s, and then the person goes too',
    async (when) => {
      const other = await staff.organisation('Oak');
      const there = await staff.member(other, ['manager'], { who: boris });
      await remove();
      const params = { memberId: boris.user.id };
      await users.call(members.remove, { params }, { as: other.accessToken });
      expect(there.user.id).toBe(boris.user.id);
      const both = [() => eraseBy(anna, boris.user.id), () => eraseBy(other, boris.user.id)] as const;
      if (when === 'at the same moment') await Promise.all(both.map((each) => each()));
      else for (const each of both) await each();
      await anHourLater();
      await published(users);
      expect(await tablesWith(users, boris.user.email)).toEqual([]);
    },
  );

  it('must end the membership first', async () => {
    expect(await eraseBy(anna, boris.user.id)).toBeRefused(personalData.MemberHasNotLeft);
    expect((await seen()).name).toBe('Boris');
  });

  it('finds no member of another organisation, and needs the permission and a recent proof of identity', async () => {
    const stranger = await staff.organisation('Oak');
    expect(await eraseBy(stranger, boris.user.id)).toBeRefused(Absent);
    expect(await eraseBy(boris, anna.user.id)).toBeRefused(Forbidden);
    await users.call(organisations.leave, {}, { as: boris.accessToken });
    clock.advance(11 * 60_000);
    expect(await eraseBy(anna, boris.user.id)).toBeRefused(StepUpRequired);
  });
});
