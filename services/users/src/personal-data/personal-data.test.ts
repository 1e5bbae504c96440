import { Absent, Forbidden, newId, StepUpRequired, Unauthenticated, Unavailable } from '@marimo/contracts';
import {
  askPasswordReset,
  createOwnKey,
  erasedName,
  eraseMe,
  eraseMember,
  exportMemberData,
  exportMyData,
  getMember,
  inviteMember,
  LastAdministrator,
  leaveOrganisation,
  listMembers,
  login,
  MemberHasNotLeft,
  mailLink,
  me,
  memberLeft,
  nameMySession,
  OwnEmailDiffers,
  personalDataExported,
  personErased,
  refresh,
  register,
  removeMember,
  type SignedIn,
  sessionEnded,
} from '@marimo/contracts/users';
import { type ServiceUnderTest, serviceUnderTest, testClock } from '@marimo/testing';
import { usersService } from '../../service.ts';
import { claimsOf, password, peopleOf } from '../../test/workplace-under-test.ts';
import { forgetOldLinks } from '../mail-links/index.ts';

const clock = testClock(new Date().toISOString());
const hour = 60 * 60_000;
let users: ServiceUnderTest;
const people = peopleOf(() => users, clock.now);
/** What the workers answer, and whether they do. */
const workers = { away: false, asked: [] as { personId: string; organisationId: string; email?: string }[] };
const client = {
  call: async (_: unknown, given: { params: { personId: string }; query: { organisationId: string } }) => {
    if (workers.away) throw new Unavailable({ service: 'workers' });
    workers.asked.push({ ...given.params, ...given.query });
    return { status: 200, body: { emails: [], notifications: [] } };
  },
};
beforeAll(async () => {
  users = await serviceUnderTest(usersService({ passwordCost: 4 }), {
    as: null,
    clock: clock.now,
    client: client as never,
  });
});
afterAll(() => users?.stop());

/** Anna directs Pine; Boris works there and, unless told otherwise, for nobody else. */
let anna: SignedIn;
let boris: SignedIn;
beforeEach(async () => {
  anna = await people.organisation('Pine');
  boris = await people.member(anna);
});

const exportOf = ({ accessToken: as }: SignedIn) => users.call(exportMyData, {}, { as });
const exportBy = ({ accessToken: as }: SignedIn, personId: string) =>
  users.call(exportMemberData, { params: { personId } }, { as });
const erase = ({ accessToken: as }: SignedIn, email: string) =>
  users.call(eraseMe, { body: { email } }, { as });
const eraseBy = ({ accessToken: as }: SignedIn, personId: string) =>
  users.call(eraseMember, { params: { personId } }, { as });
const eventsOf = async (type: string, personId: string) =>
  (await users.events()).filter((event) => event.type === type && event.subject === personId);

/** Every table of the service, row for row, with what in it holds the text in any writing. */
async function tablesWith(text: string): Promise<string[]> {
  const tables = await users.database.sql<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'users' order by 1",
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = JSON.stringify(await users.rows(name)).toLowerCase();
    if (rows.includes(text.toLowerCase())) found.push(name);
  }
  return found;
}
const published = async () => {
  for (let tries = 0; tries < 200 && (await users.rows('outbox')).length > 0; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};

/** What their devices are called, so that they can be told from those of others. */
const theirs = ({ user }: SignedIn) => `of ${user.email.split('@')[0]}!`;

/** Leaves traces of a person wherever there can be some. */
async function traces(of: SignedIn): Promise<void> {
  const as = of.accessToken;
  const body = { keyId: newId(), name: `Key ${theirs(of)}`, scopes: ['workers.notification.read'] };
  await users.call(createOwnKey, { body }, { as });
  const sessionId = claimsOf(of).sid;
  await users.call(
    nameMySession,
    { params: { sessionId }, body: { deviceName: `Laptop ${theirs(of)}` } },
    { as },
  );
  await users.call(askPasswordReset, { body: { email: of.user.email } });
  await users.database.sql(
    `insert into second_factor (factor_id, person_id, kind, name, begun_at, added_at)
     values ($1, $2, 'totp', $4, $3, $3)`,
    [newId(), of.user.id, clock.now(), `Phone ${theirs(of)}`],
  );
}

/** The provider of the organisation calls them by a name of its own. */
async function linked({ organisation, user }: SignedIn, subject: string): Promise<void> {
  const providerId = newId();
  await users.database.sql(
    `insert into sign_in_provider (tenant_id, provider_id, name, issuer, client_id, scopes, roles_claim, roles,
       default_roles, create_members, email_domains, trust_second_factor, enabled, created_at)
     values ($1, $2, 'Company', 'https://id.example.com', 'erp', '{}', 'groups', '{}', '{}', false, '{}', false, true, $3)`,
    [organisation.id, providerId, clock.now()],
  );
  await users.database.sql(
    `insert into federated_identity (tenant_id, provider_id, subject, person_id, linked_at, last_used_at)
     values ($1, $2, $3, $4, $5, $5)`,
    [organisation.id, providerId, subject, user.id, clock.now()],
  );
}

describe('taking one’s data along', () => {
  it('gives all that is kept, in every organisation, without a secret', async () => {
    const other = await people.organisation('Oak');
    const there = await people.member(other, ['manager'], { who: boris });
    await traces(there);
    await linked(there, 'boris@company');
    const { body } = await exportOf(there);
    expect(body).toMatchObject({
      scope: 'person',
      person: { id: boris.user.id, name: 'Boris', email: boris.user.email, account: { hasPassword: true } },
      secondFactors: [{ kind: 'totp', name: `Phone ${theirs(there)}` }],
      mail: [{ purpose: 'reset-password', email: boris.user.email }],
    });
    const places = body.memberships.map(({ organisation, roles }) => [
      organisation.name,
      roles.map(({ role }) => role),
    ]);
    expect(places.sort()).toEqual([
      ['Oak', ['manager']],
      ['Pine', ['user']],
    ]);
    const oak = body.memberships.find(({ organisation }) => organisation.name === 'Oak');
    expect(oak?.sessions).toMatchObject([
      { deviceName: `Laptop ${theirs(there)}`, methods: ['pwd'], endedAt: null },
    ]);
    expect(oak?.apiKeys).toMatchObject([{ name: `Key ${theirs(there)}`, revokedAt: null }]);
    expect(oak?.linkedAccounts).toMatchObject([{ provider: 'Company', subject: 'boris@company' }]);
    expect(oak?.periods).toEqual([{ from: oak?.joinedAt, until: null }]);
    expect(JSON.stringify(body)).not.toMatch(/\$2b\$|hash|token|sealed/i);
  });

  it('holds whatever a search of all tables finds by address', async () => {
    await users.call(
      inviteMember,
      { body: { email: boris.user.email } },
      { as: (await people.organisation('Ash')).accessToken },
    );
    await traces(boris);
    await published();
    const { body } = await exportOf(boris);
    const told = {
      person: body.person.email,
      mail_link: body.mail.find(({ purpose }) => purpose === 'reset-password')?.email,
      invitation: body.invitations.find(({ organisation }) => organisation.name === 'Ash')?.email,
    };
    expect(Object.values(told)).toEqual(Array.from({ length: 3 }, () => boris.user.email));
    // What an administrator was answered is kept for a day, for who asks again with the same key.
    const found = (await tablesWith(boris.user.email)).filter((table) => table !== 'idempotency_key');
    expect(found.sort()).toEqual(Object.keys(told).sort());
  });

  it('gives the same twice', async () => {
    await traces(boris);
    const [first, second] = [await exportOf(boris), await exportOf(boris)];
    expect(second.json).toEqual(first.json);
  });

  it('asks the workers for what they keep, in each organisation, by the address it may know', async () => {
    const other = await people.organisation('Oak');
    const there = await people.member(other, ['manager'], { who: boris });
    workers.asked.length = 0;
    const { body } = await exportOf(there);
    const ids = [anna.organisation.id, other.organisation.id].sort();
    expect(workers.asked.map(({ organisationId }) => organisationId)).toEqual(ids);
    expect(workers.asked[0]).toMatchObject({ personId: boris.user.id, email: boris.user.email });
    expect(body.kept.map(({ organisationId }) => organisationId)).toEqual(ids);
    await users.call(removeMember, { params: { memberId: boris.user.id } }, { as: anna.accessToken });
    await exportBy(anna, boris.user.id);
    expect(workers.asked.at(-1)).toEqual({ personId: boris.user.id, organisationId: anna.organisation.id });
  });

  it('gives nothing, and tells of nothing, while the workers are away', async () => {
    workers.away = true;
    expect(await exportOf(boris)).toBeRefused(Unavailable);
    workers.away = false;
    expect(await eventsOf(personalDataExported.type, boris.user.id)).toEqual([]);
  });

  it('is told, by whom and not what', async () => {
    await exportOf(boris);
    await exportBy(anna, boris.user.id);
    expect(await eventsOf(personalDataExported.type, boris.user.id)).toMatchObject([
      { actorid: boris.user.id, data: { scope: 'person' } },
      { actorid: anna.user.id, data: { scope: 'organisation' } },
    ]);
  });

  it('needs a young proof of who asks', async () => {
    clock.advance(11 * 60_000);
    expect(await exportOf(boris)).toBeRefused(StepUpRequired);
    expect(await users.call(exportMyData, {})).toBeRefused(Unauthenticated);
  });

  it('gives an administrator only what belongs to that organisation', async () => {
    const other = await people.organisation('Oak');
    await traces(await people.member(other, ['manager'], { who: boris }));
    const { body } = await exportBy(anna, boris.user.id);
    expect(body.memberships.map(({ organisation }) => organisation.name)).toEqual(['Pine']);
    expect(body).toMatchObject({
      scope: 'organisation',
      person: { name: 'Boris', email: boris.user.email, account: null },
      secondFactors: [],
    });
    expect(JSON.stringify(body)).not.toMatch(/Oak|Laptop|Phone/);
  });

  it('gives nothing of strangers, and nothing to who may not', async () => {
    const stranger = await people.organisation('Oak');
    expect(await exportBy(stranger, boris.user.id)).toBeRefused(Absent);
    expect(await exportBy(boris, anna.user.id)).toBeRefused(Forbidden);
  });
});

describe('having oneself erased', () => {
  it('leaves no trace of the address, the name and the devices in any table', async () => {
    const { email } = boris.user;
    await users.database.sql("update person set name = 'Boris Godunov' where person_id = $1", [
      boris.user.id,
    ]);
    await users.call(
      inviteMember,
      { body: { email }, idempotencyKey: newId() },
      { as: (await people.organisation('Ash')).accessToken },
    );
    await users.call(inviteMember, { body: { email: 'x@example.com' } }, { as: anna.accessToken });
    await traces(boris);
    await linked(boris, `Company ${theirs(boris)}`);
    expect((await erase(boris, email.toUpperCase())).status).toBe(204);
    // The address of the last mail, for the hour in which whoever keeps it may ask.
    await published();
    expect(await tablesWith(email)).toEqual(['mail_link']);
    clock.advance(hour);
    await forgetOldLinks({ database: users.database.database, clock: clock.now } as never);
    for (const trace of [email, 'Godunov', theirs(boris)])
      expect([trace, await tablesWith(trace)]).toEqual([trace, []]);
  });

  it('ends every membership and session, and lets nobody in any more', async () => {
    const other = await people.organisation('Oak');
    const there = await people.member(other, ['manager'], { who: boris });
    await erase(there, boris.user.email);
    for (const { refreshToken } of [boris, there]) {
      expect((await users.call(refresh, { body: { refreshToken } })).status).toBe(401);
    }
    const again = await users.call(login, { body: { email: boris.user.email, password } });
    expect(again.problem?.code).toBe('users.wrong-credentials');
    const ended = (await users.events()).filter(
      ({ type, data }) => type === sessionEnded.type && (data as { userId: string }).userId === boris.user.id,
    );
    expect(new Set(ended.map(({ data }) => (data as { reason: string }).reason))).toEqual(
      new Set(['erasure']),
    );
    expect(await eventsOf(memberLeft.type, boris.user.id)).toHaveLength(2);
    const members = await users.call(listMembers, { query: {} }, { as: other.accessToken });
    expect(members.body.items).toContainEqual(
      expect.objectContaining({ id: boris.user.id, name: erasedName, email: null, state: 'left' }),
    );
  });

  it('keeps the ids, so that the books and the audit stay whole', async () => {
    await erase(boris, boris.user.email);
    const of = (rows: { person_id: string }[]) =>
      rows.filter(({ person_id: id }) => id === boris.user.id).length;
    for (const table of ['person', 'member', 'member_period', 'role_assignment']) {
      expect([table, of(await users.rows(table))]).toEqual([table, 1]);
    }
  });

  it('is told in each organisation, by id, and to the person by one last mail', async () => {
    const other = await people.organisation('Oak');
    const there = await people.member(other, ['manager'], { who: boris });
    await erase(there, boris.user.email);
    const told = await eventsOf(personErased.type, boris.user.id);
    const farewells = told.map(({ tenantid, data }) => [tenantid, (data as { farewell: boolean }).farewell]);
    expect(farewells.sort()).toEqual(
      [
        [anna.organisation.id, false],
        [other.organisation.id, true],
      ].sort(),
    );
    expect(JSON.stringify(told)).not.toContain('example.com');
    const [{ linkId } = { linkId: '' }] = told.map(({ data }) => data as { linkId: string });
    const { body } = await users.call(mailLink, { params: { linkId } });
    expect(body).toMatchObject({ purpose: 'notice', recipient: { email: boris.user.email } });
    const kept = await users.rows<{ link_id: string }>('mail_link');
    // The address for an hour, but not whose it was.
    expect(kept.find((row) => row.link_id === linkId)).toMatchObject({ person_id: null });
  });

  it('lets the address begin anew, as somebody else', async () => {
    await erase(boris, boris.user.email);
    const { email } = boris.user;
    const answer = await users.call(register, {
      body: { organisation: 'New', name: 'Boris', email, password },
    });
    expect(answer.body.user.id).not.toBe(boris.user.id);
    expect((await users.call(me, {}, { as: answer.body.accessToken })).body.user.name).toBe('Boris');
  });

  it('is refused to the last administrator of any organisation, and then erases nothing', async () => {
    const there = await people.member(await people.organisation('Oak'), ['user'], { who: anna });
    const before = await users.rows('person');
    expect(await erase(there, anna.user.email)).toBeRefused(LastAdministrator);
    const {
      version: _,
      last_seen_at: __,
      ...same
    } = (before.find((row) => row['person_id'] === anna.user.id) ?? {}) as Record<string, unknown>;
    expect(await users.rows('person')).toContainEqual(expect.objectContaining(same));
    expect((await users.call(refresh, { body: { refreshToken: there.refreshToken } })).status).toBe(200);
    expect(await eventsOf(personErased.type, anna.user.id)).toEqual([]);
  });

  it('asks for the own address, in case a hand slipped, and for a young proof', async () => {
    for (const wrong of ['', anna.user.email, 'nobody@example.com']) {
      expect(await erase(boris, wrong)).toBeRefused(OwnEmailDiffers);
    }
    clock.advance(11 * 60_000);
    expect(await erase(boris, boris.user.email)).toBeRefused(StepUpRequired);
    expect(await eventsOf(personErased.type, boris.user.id)).toEqual([]);
  });

  it('happens once when it is asked for twice at once', async () => {
    const both = await Promise.all([erase(boris, boris.user.email), erase(boris, boris.user.email)]);
    expect(both.map(({ status }) => status).sort()).toEqual([204, 422]);
    expect(await eventsOf(personErased.type, boris.user.id)).toHaveLength(1);
  });
});

describe('an administrator', () => {
  const remove = () =>
    users.call(removeMember, { params: { memberId: boris.user.id } }, { as: anna.accessToken });
  const seen = async () =>
    (await users.call(getMember, { params: { memberId: boris.user.id } }, { as: anna.accessToken })).body;

  it('erases who has left, and with them the person whom nobody else knows', async () => {
    await traces(boris);
    await remove();
    expect((await seen()).name).toBe('Boris');
    expect((await eraseBy(anna, boris.user.id)).status).toBe(204);
    expect(await seen()).toMatchObject({ name: erasedName, email: null, state: 'left', lastSeenAt: null });
    clock.advance(hour);
    await forgetOldLinks({ database: users.database.database, clock: clock.now } as never);
    await published();
    for (const trace of [boris.user.email, theirs(boris)]) expect(await tablesWith(trace)).toEqual([]);
    expect(await eventsOf(personErased.type, boris.user.id)).toMatchObject([
      { actorid: anna.user.id, data: { farewell: true } },
    ]);
  });

  it('erases once, however often', async () => {
    await remove();
    await eraseBy(anna, boris.user.id);
    expect((await eraseBy(anna, boris.user.id)).status).toBe(204);
    expect(await eventsOf(personErased.type, boris.user.id)).toHaveLength(1);
  });

  it('cannot touch what another organisation keeps, nor learn that there is one', async () => {
    const other = await people.organisation('Oak');
    const there = await people.member(other, ['manager'], { who: boris });
    await traces(there);
    await remove();
    const answer = await eraseBy(anna, boris.user.id);
    expect([answer.status, answer.json]).toEqual([204, null]);
    expect((await seen()).name).toBe(erasedName);
    const found = await users.call(listMembers, { query: { text: 'Boris' } }, { as: anna.accessToken });
    expect(found.body.items).toEqual([]);
    expect(await eventsOf(personErased.type, boris.user.id)).toMatchObject([{ data: { farewell: false } }]);

    const mine = await users.call(me, {}, { as: there.accessToken });
    expect(mine.body.user).toMatchObject({ name: 'Boris', email: boris.user.email });
    expect((await users.call(refresh, { body: { refreshToken: there.refreshToken } })).status).toBe(200);
    const kept = await users.rows<{ purpose: string; person_id: string }>('mail_link');
    expect(kept).toContainEqual(
      expect.objectContaining({ purpose: 'reset-password', person_id: boris.user.id }),
    );
  });

  it('must let them leave first', async () => {
    expect(await eraseBy(anna, boris.user.id)).toBeRefused(MemberHasNotLeft);
    expect((await seen()).name).toBe('Boris');
  });

  it('finds nobody of another organisation, and needs the permission and a young proof', async () => {
    const stranger = await people.organisation('Oak');
    expect(await eraseBy(stranger, boris.user.id)).toBeRefused(Absent);
    expect(await eraseBy(boris, anna.user.id)).toBeRefused(Forbidden);
    await users.call(leaveOrganisation, {}, { as: boris.accessToken });
    clock.advance(11 * 60_000);
    expect(await eraseBy(anna, boris.user.id)).toBeRefused(StepUpRequired);
  });
});
