import { Absent, Forbidden, StepUpRequired, Unauthenticated, Unavailable } from '@marimo/contracts';
import { type identity, invitations, members, personalData } from '@marimo/contracts/users';
import { testClock } from '@marimo/testing';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import { linked, published, tablesWith, theirs, traces } from '../../../test/traces.ts';
import { useUsers } from '../../../test/use-users.ts';

const clock = testClock(new Date().toISOString());
/** What the workers answer, and whether they do. */
const workers = { away: false, asked: [] as { personId: string; organisationId: string; email?: string }[] };
const client = {
  call: async (
    _: unknown,
    given: { params: { personId: string }; query: object; organisationId: string },
  ) => {
    if (workers.away) throw new Unavailable({ service: 'workers' });
    workers.asked.push({ ...given.params, ...given.query, organisationId: given.organisationId });
    return { status: 200, body: { emails: [], notifications: [] } };
  },
};
const users = useUsers({ clock: clock.now, client: client as never });
const people = peopleOf(() => users, clock.now);

/** Anna directs Pine; Boris works there and, unless told otherwise, for nobody else. */
let anna: identity.SignedIn;
let boris: identity.SignedIn;
beforeEach(async () => {
  anna = await people.organisation('Pine');
  boris = await people.member(anna);
});

const exportOf = ({ accessToken: as }: identity.SignedIn) => users.call(personalData.exportMine, {}, { as });
const exportBy = ({ accessToken: as }: identity.SignedIn, personId: string) =>
  users.call(personalData.exportOfMember, { params: { personId } }, { as });
const eventsOf = async (type: string, personId: string) =>
  (await users.events()).filter((event) => event.type === type && event.subject === personId);

describe("exporting one's data", () => {
  it('contains everything stored in every organisation, without secrets', async () => {
    const other = await people.organisation('Oak');
    const there = await people.member(other, ['manager'], { who: boris });
    await traces(users, there, clock.now());
    await linked(users, there, 'boris@company', clock.now());
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
    expect(Object.fromEntries(places)).toEqual({ Oak: ['manager'], Pine: ['user'] });
    const oak = body.memberships.find(({ organisation }) => organisation.name === 'Oak');
    expect(oak?.sessions).toMatchObject([
      { deviceName: `Laptop ${theirs(there)}`, methods: ['pwd'], endedAt: null },
    ]);
    expect(oak?.apiKeys).toMatchObject([{ name: `Key ${theirs(there)}`, revokedAt: null }]);
    expect(oak?.linkedAccounts).toMatchObject([{ provider: 'Company', subject: 'boris@company' }]);
    expect(oak?.periods).toEqual([{ from: oak?.joinedAt, until: null }]);
    expect(JSON.stringify(body)).not.toMatch(/\$2b\$|hash|token|sealed/i);
  });

  it('contains whatever a search of all tables finds by address', async () => {
    await users.call(
      invitations.invite,
      { body: { email: boris.user.email } },
      { as: (await people.organisation('Ash')).accessToken },
    );
    await traces(users, boris, clock.now());
    await published(users);
    const { body } = await exportOf(boris);
    const told = {
      person: body.person.email,
      mail_link: body.mail.find(({ purpose }) => purpose === 'reset-password')?.email,
      invitation: body.invitations.find(({ organisation }) => organisation.name === 'Ash')?.email,
    };
    expect(Object.values(told)).toEqual(Array.from({ length: 3 }, () => boris.user.email));
    // What an administrator was answered is kept for a day, for who asks again with the same key.
    const found = (await tablesWith(users, boris.user.email)).filter((table) => table !== 'idempotency_key');
    expect(found.sort()).toEqual(Object.keys(told).sort());
  });

  it('returns the same when repeated', async () => {
    await traces(users, boris, clock.now());
    const [first, second] = [await exportOf(boris), await exportOf(boris)];
    expect(second.json).toEqual(first.json);
  });

  it('asks workers for what they keep, in each organisation, by an address it may know', async () => {
    const other = await people.organisation('Oak');
    const there = await people.member(other, ['manager'], { who: boris });
    workers.asked.length = 0;
    const { body } = await exportOf(there);
    const ids = [anna.organisation.id, other.organisation.id].sort();
    expect(workers.asked.map(({ organisationId }) => organisationId)).toEqual(ids);
    expect(workers.asked[0]).toMatchObject({ personId: boris.user.id, email: boris.user.email });
    expect(body.kept.map(({ organisationId }) => organisationId)).toEqual(ids);
    await users.call(members.remove, { params: { memberId: boris.user.id } }, { as: anna.accessToken });
    await exportBy(anna, boris.user.id);
    expect(workers.asked.at(-1)).toEqual({ personId: boris.user.id, organisationId: anna.organisation.id });
  });

  it('is refused and not published while workers are unavailable', async () => {
    workers.away = true;
    expect(await exportOf(boris)).toBeRefused(Unavailable);
    workers.away = false;
    expect(await eventsOf(personalData.exported.type, boris.user.id)).toEqual([]);
  });

  it('is published with who asked, without the content', async () => {
    await exportOf(boris);
    await exportBy(anna, boris.user.id);
    expect(await eventsOf(personalData.exported.type, boris.user.id)).toMatchObject([
      { actorid: boris.user.id, data: { scope: 'person' } },
      { actorid: anna.user.id, data: { scope: 'organisation' } },
    ]);
  });

  it('requires a recent proof of identity', async () => {
    clock.advance(11 * 60_000);
    expect(await exportOf(boris)).toBeRefused(StepUpRequired);
    expect(await users.call(personalData.exportMine, {})).toBeRefused(Unauthenticated);
  });

  it('by an administrator contains only data of that organisation', async () => {
    const other = await people.organisation('Oak');
    await traces(users, await people.member(other, ['manager'], { who: boris }), clock.now());
    const { body } = await exportBy(anna, boris.user.id);
    expect(body.memberships.map(({ organisation }) => organisation.name)).toEqual(['Pine']);
    expect(body).toMatchObject({
      scope: 'organisation',
      person: { name: 'Boris', email: boris.user.email, account: null },
      secondFactors: [],
    });
    expect(JSON.stringify(body)).not.toMatch(/Oak|Laptop|Phone/);
  });

  it('contains nothing of other people, and requires the permission', async () => {
    const stranger = await people.organisation('Oak');
    expect(await exportBy(stranger, boris.user.id)).toBeRefused(Absent);
    expect(await exportBy(boris, anna.user.id)).toBeRefused(Forbidden);
  });
});
