import { newId } from '@marimo/contracts';
import { apiKeys, type identity, serviceAccounts } from '@marimo/contracts/users';
import { type ServiceUnderTest, testClock } from '@marimo/testing';
import { peopleOf } from './organisation-with-people.ts';
import { useUsers } from './use-users.ts';

/** For a file of tests: one service on a clock of its own, with what tests of keys do again and again. */
export function keysUnderTest() {
  const clock = testClock(new Date().toISOString());
  const users = useUsers({ clock: clock.now });
  let anna: identity.SignedIn;
  const people = peopleOf(() => users, clock.now);
  beforeEach(async () => {
    anna = await people.organisation();
  });
  return {
    clock,
    ...people,
    ...stepsWith(() => users, people),
    get users() {
      return users;
    },
    /** In each test somebody else, with an organisation of their own. */
    get anna() {
      return anna;
    },
  };
}

export const as = ({ accessToken }: identity.SignedIn) => ({ as: accessToken });

function stepsWith(users: () => ServiceUnderTest, people: ReturnType<typeof peopleOf>) {
  return {
    /** Somebody who signs in anew holds this one role from now on. */
    async withRole({ user }: identity.SignedIn, role: string): Promise<identity.SignedIn> {
      await users().database.sql('update role_assignment set role = $1 where person_id = $2', [
        role,
        user.id,
      ]);
      return people.signIn(user.email);
    },
    ownRole: ({ organisation }: identity.SignedIn, name: string, grants: readonly string[]) =>
      people.plantRoles(organisation.id, { [name]: grants }),
    async account(admin: identity.SignedIn, ...roles: string[]): Promise<string> {
      const accountId = newId();
      await users().call(
        serviceAccounts.create,
        { body: { accountId, name: 'Warehouse robot' } },
        { as: admin.accessToken },
      );
      for (const role of roles) {
        await users().database.sql(
          `insert into role_assignment (tenant_id, assignment_id, account_id, role, valid_from, granted_at)
           select tenant_id, gen_random_uuid(), account_id, $2, created_at, created_at
             from service_account where account_id = $1`,
          [accountId, role],
        );
      }
      return accountId;
    },
    makeKey: (admin: identity.SignedIn, accountId: string, changes: object = {}) =>
      users().call(
        apiKeys.createForAccount,
        { params: { accountId }, body: newKey(changes) },
        { as: admin.accessToken },
      ),
    makeOwnKey: (person: identity.SignedIn, changes: object = {}) =>
      users().call(apiKeys.createOwn, { body: newKey(changes) }, { as: person.accessToken }),
    exchange: (key: Pick<apiKeys.ApiKeyWithSecret, 'key'> | string, address = '10.1.1.1') =>
      users().call(
        apiKeys.exchange,
        { body: { key: typeof key === 'string' ? key : key.key } },
        { headers: { 'x-forwarded-for': address } },
      ),
    eventsOf: async (subject: string) =>
      (await users().events()).filter((event) => event.subject === subject),
  };
}

const newKey = (changes: object) => ({
  keyId: newId(),
  name: 'Nightly import',
  scopes: ['accounting.*'],
  ...changes,
});
