import { Absent, Forbidden, MalformedRequest, newId, Stale } from '@marimo/contracts';
import { type identity, serviceAccounts, sessions } from '@marimo/contracts/users';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';

const users = useUsers();
const staff = peopleOf(() => users);
let anna: identity.SignedIn;
let boris: identity.SignedIn; // of another organisation
beforeAll(async () => {
  anna = await staff.organisation();
  boris = await staff.organisation('Oak', 'Boris');
});

const as = ({ accessToken }: identity.SignedIn) => ({ as: accessToken });
const created = async (name = 'Warehouse robot') => {
  const { body } = await users.call(serviceAccounts.create, { body: { accountId: newId(), name } }, as(anna));
  return body;
};
const eventsOf = async (accountId: string) =>
  (await users.events()).filter(({ subject }) => subject === accountId).map(({ type }) => type);

describe('a service account', () => {
  it("is created with the caller's id, and the same request again returns the same account", async () => {
    const accountId = newId();
    const ask = (name: string) => users.call(serviceAccounts.create, { body: { accountId, name } }, as(anna));
    const first = await ask('Warehouse robot');
    const again = await ask('Warehouse robot');
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual(first.body);
    expect(first.body).toMatchObject({ accountId, createdBy: anna.user.id, disabledAt: null });
    expect(await eventsOf(accountId)).toEqual([serviceAccounts.created.type]);
    expect(await ask('Another robot')).toBeRefused(serviceAccounts.ServiceAccountConflict, { accountId });
  });

  it.each([
    ['an invalid id', { accountId: 'robot', name: 'Robot' }],
    ['an id that no token could carry', { accountId: '01920000-0000-f000-f000-00000000000a', name: 'Robot' }],
    ['a name of two lines', { accountId: newId(), name: 'Robot\nroot' }],
    ['an empty name', { accountId: newId(), name: ' ' }],
    ['an unknown field', { accountId: newId(), name: 'Robot', roles: ['admin'] }],
  ])('is not created with %s', async (_, body) => {
    const before = await users.rows('service_account');
    expect(await users.call(serviceAccounts.create, { body }, as(anna))).toBeRefused(MalformedRequest);
    expect(await users.rows('service_account')).toEqual(before);
  });

  it('is renamed with the current ETag only', async () => {
    const { accountId } = await created();
    const read = await users.call(serviceAccounts.get, { params: { accountId } }, as(anna));
    const etag = read.headers.get('etag') ?? '';
    const rename = (name: string) =>
      users.call(
        serviceAccounts.change,
        { params: { accountId }, body: { name } },
        { ...as(anna), headers: { 'if-match': etag } },
      );
    expect((await rename('Shop robot')).body).toMatchObject({ name: 'Shop robot', version: 2 });
    expect(await rename('Lift')).toBeRefused(Stale, { etag: '"2"' });
    expect(await eventsOf(accountId)).toEqual([serviceAccounts.created.type, serviceAccounts.changed.type]);
  });

  it('is disabled and enabled once, however often it is requested', async () => {
    const { accountId } = await created();
    const input = { params: { accountId } };
    const disabled = await users.call(serviceAccounts.disable, input, as(anna));
    expect(disabled.body.disabledAt).not.toBeNull();
    expect((await users.call(serviceAccounts.disable, input, as(anna))).body).toEqual(disabled.body);
    expect((await users.call(serviceAccounts.enable, input, as(anna))).body.disabledAt).toBeNull();
    await users.call(serviceAccounts.enable, input, as(anna));
    expect(await eventsOf(accountId)).toEqual([
      serviceAccounts.created.type,
      serviceAccounts.disabled.type,
      serviceAccounts.enabled.type,
    ]);
  });

  it('is not found by another organisation, which may use the same id', async () => {
    const { accountId } = await created();
    const params = { accountId };
    for (const answer of [
      await users.call(serviceAccounts.get, { params }, as(boris)),
      await users.call(serviceAccounts.change, { params, body: { name: 'Mine' } }, as(boris)),
      await users.call(serviceAccounts.disable, { params }, as(boris)),
      await users.call(serviceAccounts.enable, { params }, as(boris)),
    ]) {
      expect(answer).toBeRefused(Absent, { resource: 'service account' });
    }
    const theirs = await users.call(serviceAccounts.create, { body: { ...params, name: 'Mine' } }, as(boris));
    expect(theirs.status).toBe(201);
  });

  it('is listed newest first, page by page, each once', async () => {
    const own = await staff.organisation('Elm', 'Clara');
    const made = [];
    for (const name of ['one', 'two', 'three']) {
      const body = { accountId: newId(), name };
      made.unshift((await users.call(serviceAccounts.create, { body }, as(own))).body);
    }
    const first = await users.call(serviceAccounts.list, { query: { limit: 2 } }, as(own));
    const after = first.body.next ?? '';
    const rest = await users.call(serviceAccounts.list, { query: { limit: 2, after } }, as(own));
    expect([...first.body.items, ...rest.body.items]).toEqual(made);
    expect(rest.body.next).toBeNull();
    expect(await users.call(serviceAccounts.list, { query: { after: 'x' } }, as(own))).toBeRefused(
      MalformedRequest,
    );
  });

  it('requires the permission', async () => {
    const member = await staff.organisation('Ash', 'Dora');
    await users.database.sql('update role_assignment set role = $1 where person_id = $2', [
      'manager',
      member.user.id,
    ]);
    const body = { email: member.user.email, password: 'correct horse battery staple' };
    const manager = (await users.call(sessions.login, { body })).body as identity.SignedIn;
    const answers = [
      await users.call(serviceAccounts.list, { query: {} }, as(manager)),
      await users.call(serviceAccounts.create, { body: { accountId: newId(), name: 'Robot' } }, as(manager)),
    ];
    for (const answer of answers) expect(answer).toBeRefused(Forbidden);
  });
});
