import { Absent, Forbidden, MalformedRequest, newId, Stale } from '@marimo/contracts';
import {
  changeServiceAccount,
  createServiceAccount,
  disableServiceAccount,
  enableServiceAccount,
  getServiceAccount,
  listServiceAccounts,
  login,
  register,
  ServiceAccountConflict,
  type SignedIn,
  serviceAccountChanged,
  serviceAccountCreated,
  serviceAccountDisabled,
  serviceAccountEnabled,
} from '@marimo/contracts/users';
import { type ServiceUnderTest, serviceUnderTest } from '@marimo/testing';
import { usersService } from '../../service.ts';

let users: ServiceUnderTest;
let anna: SignedIn;
let boris: SignedIn; // of another organisation
beforeAll(async () => {
  users = await serviceUnderTest(usersService({ passwordCost: 4 }), { as: null });
  anna = await registered('anna');
  boris = await registered('boris');
});
afterAll(() => users?.stop());

async function registered(name: string): Promise<SignedIn> {
  const email = `${name}@example.com`;
  const password = 'correct horse battery staple';
  return (await users.call(register, { body: { organisation: name, name, email, password } })).body;
}

const as = ({ accessToken }: SignedIn) => ({ as: accessToken });
const created = async (name = 'Warehouse robot') => {
  const { body } = await users.call(createServiceAccount, { body: { accountId: newId(), name } }, as(anna));
  return body;
};
const eventsOf = async (accountId: string) =>
  (await users.events()).filter(({ subject }) => subject === accountId).map(({ type }) => type);

describe('a service account', () => {
  it('is made under the id its maker chooses; made again just so, it is the same', async () => {
    const accountId = newId();
    const ask = (name: string) => users.call(createServiceAccount, { body: { accountId, name } }, as(anna));
    const first = await ask('Warehouse robot');
    const again = await ask('Warehouse robot');
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual(first.body);
    expect(first.body).toMatchObject({ accountId, createdBy: anna.user.id, disabledAt: null });
    expect(await eventsOf(accountId)).toEqual([serviceAccountCreated.type]);
    expect(await ask('Another robot')).toBeRefused(ServiceAccountConflict, { accountId });
  });

  it.each([
    ['an id that is none', { accountId: 'robot', name: 'Robot' }],
    ['an id that no token could carry', { accountId: '01920000-0000-f000-f000-00000000000a', name: 'Robot' }],
    ['a name of two lines', { accountId: newId(), name: 'Robot\nroot' }],
    ['an empty name', { accountId: newId(), name: ' ' }],
    ['a field nobody knows', { accountId: newId(), name: 'Robot', roles: ['admin'] }],
  ])('is not made with %s', async (_, body) => {
    const before = await users.rows('service_account');
    expect(await users.call(createServiceAccount, { body }, as(anna))).toBeRefused(MalformedRequest);
    expect(await users.rows('service_account')).toEqual(before);
  });

  it('is renamed by who has read its present state', async () => {
    const { accountId } = await created();
    const read = await users.call(getServiceAccount, { params: { accountId } }, as(anna));
    const etag = read.headers.get('etag') ?? '';
    const rename = (name: string) =>
      users.call(
        changeServiceAccount,
        { params: { accountId }, body: { name } },
        { ...as(anna), headers: { 'if-match': etag } },
      );
    expect((await rename('Shop robot')).body).toMatchObject({ name: 'Shop robot', version: 2 });
    expect(await rename('Lift')).toBeRefused(Stale, { etag: '"2"' });
    expect(await eventsOf(accountId)).toEqual([serviceAccountCreated.type, serviceAccountChanged.type]);
  });

  it('is disabled and enabled, each once however often it is asked for', async () => {
    const { accountId } = await created();
    const input = { params: { accountId } };
    const disabled = await users.call(disableServiceAccount, input, as(anna));
    expect(disabled.body.disabledAt).not.toBeNull();
    expect((await users.call(disableServiceAccount, input, as(anna))).body).toEqual(disabled.body);
    expect((await users.call(enableServiceAccount, input, as(anna))).body.disabledAt).toBeNull();
    await users.call(enableServiceAccount, input, as(anna));
    expect(await eventsOf(accountId)).toEqual([
      serviceAccountCreated.type,
      serviceAccountDisabled.type,
      serviceAccountEnabled.type,
    ]);
  });

  it('is not there for another organisation, which may use the same id', async () => {
    const { accountId } = await created();
    const params = { accountId };
    for (const answer of [
      await users.call(getServiceAccount, { params }, as(boris)),
      await users.call(changeServiceAccount, { params, body: { name: 'Mine' } }, as(boris)),
      await users.call(disableServiceAccount, { params }, as(boris)),
      await users.call(enableServiceAccount, { params }, as(boris)),
    ]) {
      expect(answer).toBeRefused(Absent, { resource: 'service account' });
    }
    const theirs = await users.call(createServiceAccount, { body: { ...params, name: 'Mine' } }, as(boris));
    expect(theirs.status).toBe(201);
  });

  it('is listed newest first, page by page, each once', async () => {
    const own = await registered('clara');
    const made = [];
    for (const name of ['one', 'two', 'three']) {
      const body = { accountId: newId(), name };
      made.unshift((await users.call(createServiceAccount, { body }, as(own))).body);
    }
    const first = await users.call(listServiceAccounts, { query: { limit: 2 } }, as(own));
    const after = first.body.next ?? '';
    const rest = await users.call(listServiceAccounts, { query: { limit: 2, after } }, as(own));
    expect([...first.body.items, ...rest.body.items]).toEqual(made);
    expect(rest.body.next).toBeNull();
    expect(await users.call(listServiceAccounts, { query: { after: 'x' } }, as(own))).toBeRefused(
      MalformedRequest,
    );
  });

  it('is the business of those who hold the permission', async () => {
    const member = await registered('dora');
    await users.database.sql('update role_assignment set role = $1 where person_id = $2', [
      'manager',
      member.user.id,
    ]);
    const body = { email: member.user.email, password: 'correct horse battery staple' };
    const manager = (await users.call(login, { body })).body as SignedIn;
    const answers = [
      await users.call(listServiceAccounts, { query: {} }, as(manager)),
      await users.call(createServiceAccount, { body: { accountId: newId(), name: 'Robot' } }, as(manager)),
    ];
    for (const answer of answers) expect(answer).toBeRefused(Forbidden);
  });
});
