import { Forbidden, MalformedRequest, newId, Stale, Unauthenticated } from '@marimo/contracts';
import { apiKeys, credentials, type identity, people, sessions } from '@marimo/contracts/users';
import { testClock, tokenFor } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { mailOf } from '../../../test/mail.ts';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';

const clock = testClock(new Date().toISOString());
const users = useUsers({ clock: clock.now });
const staff = peopleOf(() => users, clock.now);
let anna: identity.SignedIn;
beforeEach(async () => {
  anna = await staff.organisation();
});

const eventsOf = async (type: string, userId = anna.user.id) =>
  (await users.events()).filter(
    (event) => event.type === type && (event.data as { userId?: string }).userId === userId,
  );
const row = async (personId = anna.user.id) =>
  (await users.rows<{ person_id: string; version: number; password_hash: string }>('person')).find(
    (person) => person.person_id === personId,
  );

describe("changing one's profile", () => {
  const change = (body: object, headers = {}) =>
    users.call(people.changeMe, { body }, { as: anna.accessToken, headers });

  it('updates some fields, and publishes which, without the name', async () => {
    const { body } = await change({ name: 'Анна Петрова', timeZone: 'Europe/Moscow' });
    expect(body.user).toEqual({ ...anna.user, name: 'Анна Петрова', timeZone: 'Europe/Moscow' });
    const seen = await users.call(sessions.me, {}, { as: anna.accessToken });
    expect(seen.body).toEqual(body);
    const told = await eventsOf(people.changed.type);
    expect(told).toMatchObject([{ data: { changed: ['name', 'timeZone'] }, actorid: anna.user.id }]);
    expect(JSON.stringify(told)).not.toContain('Анна');
  });

  it('publishes nothing when nothing differs', async () => {
    const answer = await change({ name: anna.user.name });
    expect(answer.body.user).toEqual(anna.user);
    expect((await row())?.version).toBe(1);
    expect(await eventsOf(people.changed.type)).toEqual([]);
  });

  it('honours If-Match', async () => {
    const etag = (await users.call(sessions.me, {}, { as: anna.accessToken })).headers.get('etag') ?? '';
    const first = await change({ name: 'Anna B.' }, { 'if-match': etag });
    expect(first.status).toBe(200);
    expect(await change({ name: 'Anna C.' }, { 'if-match': etag })).toBeRefused(Stale, {
      etag: first.headers.get('etag'),
    });
    expect((await users.call(sessions.me, {}, { as: anna.accessToken })).body.user.name).toBe('Anna B.');
  });

  it('accepts one of two concurrent changes with the same ETag', async () => {
    const etag = (await users.call(sessions.me, {}, { as: anna.accessToken })).headers.get('etag') ?? '';
    const both = await Promise.all(['B.', 'C.'].map((name) => change({ name }, { 'if-match': etag })));
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 412]);
  });

  it.each([
    ['an unknown field', { email: 'other@example.com' }],
    ['an empty name', { name: ' ' }],
    ['a name of two lines', { name: 'Anna\nBcc: all' }],
    ['a name without end', { name: 'A'.repeat(201) }],
    ['a language we do not speak', { language: 'xx' }],
    ['a time zone that is none', { timeZone: 'Mars/Olympus' }],
    ['an offset', { timeZone: '+03:00' }],
    ['another type', { name: 7 }],
  ])('refuses %s and stores nothing', async (_, body) => {
    expect(await change(body)).toBeRefused(MalformedRequest);
    expect((await row())?.version).toBe(1);
  });
});

describe('changing the password', () => {
  const wanted = 'seven lazy marmots sleep';
  const change = (current: string, next = wanted, as = anna.accessToken) =>
    users.call(people.changePassword, { body: { current, new: next } }, { as });
  const signsIn = async (given: string) =>
    (await users.call(sessions.login, { body: { email: anna.user.email, password: given } })).status === 200;
  const goesOn = async ({ refreshToken }: identity.SignedIn) =>
    (await users.call(sessions.refresh, { body: { refreshToken } })).status === 200;

  it('requires the present one, and then the new one signs in', async () => {
    expect((await change(password)).status).toBe(200);
    expect([await signsIn(password), await signsIn(wanted)]).toEqual([false, true]);
  });

  it('ends all other sessions in every organisation, and keeps the current one', async () => {
    const phone = await staff.signIn(anna.user.email);
    const elsewhere = await sessionElsewhere();
    await change(password);
    expect([await goesOn(phone), await goesOn(anna)]).toEqual([false, true]);
    const ended = await eventsOf(sessions.ended.type);
    const reasons = ended.map(({ subject, data }) => [subject, (data as { reason: string }).reason]);
    expect(Object.fromEntries(reasons)).toEqual({
      [claimsOf(phone.accessToken).sid]: 'password',
      [elsewhere.sessionId]: 'password',
    });
    expect(ended.map(({ tenantid }) => tenantid)).toContain(elsewhere.tenantId);
  });

  it('renews the proof of identity', async () => {
    clock.advance(30 * 60_000);
    const { accessToken } = await staff.signIn(anna.user.email);
    const before = authTimeOf(accessToken);
    clock.advance(11 * 60_000);
    const { body } = await change(password, wanted, accessToken);
    expect(authTimeOf(body.accessToken) - before).toBe(11 * 60);
    expect((await users.call(sessions.me, {}, { as: body.accessToken })).status).toBe(200);
  });

  it('does not renew the proof of identity of a person with a second factor', async () => {
    const factor = [newId(), anna.user.id, 'passkey', 'Key', clock.now(), clock.now()];
    await users.database.sql(
      `insert into second_factor (factor_id, person_id, kind, name, begun_at, added_at)
       values ($1, $2, $3, $4, $5, $6)`,
      factor,
    );
    clock.advance(2 * 60_000);
    const { body } = await change(password);
    expect(authTimeOf(body.accessToken)).toBe(authTimeOf(anna.accessToken));
  });

  it('notifies the owner by e-mail, and publishes no address', async () => {
    await change(password);
    const told = await eventsOf(people.passwordChanged.type);
    expect(told).toMatchObject([{ data: { by: 'change' }, actorid: anna.user.id }]);
    const { recipient, url } = await mailOf(users, told[0]);
    expect([recipient.email, url]).toEqual([anna.user.email, null]);
    expect(JSON.stringify(told)).not.toContain(anna.user.email);
  });

  it('refuses a wrong present password and changes nothing', async () => {
    const phone = await staff.signIn(anna.user.email);
    expect(await change('wrong horse')).toBeRefused(people.CurrentPasswordWrong);
    expect([await goesOn(phone), await signsIn(password)]).toEqual([true, true]);
    expect(await eventsOf(people.passwordChanged.type)).toEqual([]);
  });

  it('limits guesses of the present password', async () => {
    for (let n = 0; n < 10; n += 1)
      expect(await change('wrong horse')).toBeRefused(people.CurrentPasswordWrong);
    expect(await change(password)).toBeRefused(credentials.TooManyAttempts);
  });

  it("refuses a weak new one, also one made of the person's name or mailbox", async () => {
    const mailbox = anna.user.email.split('@')[0] ?? '';
    for (const weak of ['short', 'Password1', `${mailbox}A1`]) {
      expect(await change(password, weak)).toBeRefused(credentials.PasswordTooWeak);
    }
    expect(await signsIn(password)).toBe(true);
  });

  it('accepts one of two concurrent changes', async () => {
    const both = await Promise.all([change(password, `${wanted} 1`), change(password, `${wanted} 2`)]);
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 422]);
  });

  it('is refused to a person without a password', async () => {
    await users.database.sql('update person set password_hash = null where person_id = $1', [anna.user.id]);
    expect(await change(password)).toBeRefused(people.PasswordNotSet);
  });

  it('is refused to API keys, strangers and former members', async () => {
    expect(await users.call(people.changePassword, { body: { current: 'a', new: 'b' } })).toBeRefused(
      Unauthenticated,
    );
    expect(await change(password, wanted, tokenFor())).toBeRefused(Unauthenticated);
    await users.database.sql("update member set state = 'left' where person_id = $1", [anna.user.id]);
    expect(await change(password)).toBeRefused(Unauthenticated);
    expect(
      await users.call(sessions.login, { body: { email: anna.user.email, password: wanted } }),
    ).toBeRefused(credentials.WrongCredentials);
  });

  /** Anna is a member of a second organisation and signed in there. */
  async function sessionElsewhere(): Promise<{ tenantId: string; sessionId: string }> {
    const other = await staff.organisation();
    const tenantId = other.organisation.id;
    const sessionId = newId();
    const { id: personId } = anna.user;
    await staff.join(tenantId, personId);
    await users.database.sql(
      `insert into session (tenant_id, session_id, person_id, client, started_at, last_used_at, expires_at,
                            authenticated_at)
       values ($1, $2, $3, 'other', $4, $4, $4::timestamptz + interval '7 days', $4)`,
      [tenantId, sessionId, personId, clock.now()],
    );
    return { tenantId, sessionId };
  }
});

it('changing profile and password does not affect other people', async () => {
  const boris = await staff.plant(anna);
  await users.call(people.changeMe, { body: { name: 'Somebody else' } }, { as: anna.accessToken });
  await users.call(
    people.changePassword,
    { body: { current: password, new: 'x7 lazy marmots' } },
    { as: anna.accessToken },
  );
  expect(await row(boris.id)).toMatchObject({ name: 'Boris', version: 1 });
  expect((await staff.signIn(boris.email)).user.id).toBe(boris.id);
});

it('changing the password is refused to an API key of the person', async () => {
  const body = { keyId: newId(), name: 'Script', scopes: ['users.member.read'] };
  const { key } = (await users.call(apiKeys.createOwn, { body }, { as: anna.accessToken })).body;
  const { accessToken: as } = (await users.call(apiKeys.exchange, { body: { key } })).body;
  const answer = await users.call(
    people.changePassword,
    { body: { current: password, new: 'x7 lazy marmots' } },
    { as },
  );
  expect(answer).toBeRefused(Forbidden);
  expect(await users.call(people.changeMe, { body: { name: 'Robot' } }, { as })).toBeRefused(Forbidden);
});

function authTimeOf(accessToken: string): number {
  return (claimsOf(accessToken) as unknown as { auth_time: number }).auth_time;
}
