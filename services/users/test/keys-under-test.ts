import { newId } from '@marimo/contracts';
import {
  type AccessTokenClaims,
  type ApiKeyWithSecret,
  createAccountKey,
  createOwnKey,
  createServiceAccount,
  exchangeApiKey,
  login,
  register,
  type SignedIn,
} from '@marimo/contracts/users';
import { type ServiceUnderTest, serviceUnderTest, testClock } from '@marimo/testing';
import { usersService } from '../service.ts';

const password = 'correct horse battery staple';

/** For a file of tests: one service on a clock of its own, with what tests of keys do again and again. */
export function keysUnderTest() {
  const clock = testClock(new Date().toISOString());
  let users: ServiceUnderTest;
  let anna: SignedIn;
  const steps = stepsWith(() => users);
  beforeAll(async () => {
    users = await serviceUnderTest(usersService({ passwordCost: 4 }), { as: null, clock: clock.now });
  });
  beforeEach(async () => {
    anna = await steps.registered();
  });
  afterAll(() => users?.stop());
  return {
    clock,
    ...steps,
    get users() {
      return users;
    },
    /** In each test somebody else, with an organisation of their own. */
    get anna() {
      return anna;
    },
  };
}

export const as = ({ accessToken }: SignedIn) => ({ as: accessToken });

function stepsWith(users: () => ServiceUnderTest) {
  let count = 0;
  const signIn = async (email: string) =>
    (await users().call(login, { body: { email, password } })).body as SignedIn;

  return {
    signIn,
    async registered(name = 'anna'): Promise<SignedIn> {
      const email = `${name}${++count}@example.com`;
      return (await users().call(register, { body: { organisation: name, name, email, password } })).body;
    },
    /** Somebody who signs in anew holds this one role from now on. */
    async withRole({ user }: SignedIn, role: string): Promise<SignedIn> {
      await users().database.sql('update role_assignment set role = $1 where person_id = $2', [
        role,
        user.id,
      ]);
      return signIn(user.email);
    },
    async ownRole({ organisation }: SignedIn, name: string, grants: readonly string[]): Promise<void> {
      const { sql } = users().database;
      await sql('insert into own_role (tenant_id, name, title, created_at) values ($1, $2, $2, now())', [
        organisation.id,
        name,
      ]);
      await sql(
        `insert into own_role_grants (tenant_id, name, since, grants)
         values ($1, $2, now() - interval '1 day', $3)`,
        [organisation.id, name, grants],
      );
    },
    async account(admin: SignedIn, ...roles: string[]): Promise<string> {
      const accountId = newId();
      await users().call(
        createServiceAccount,
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
    makeKey: (admin: SignedIn, accountId: string, changes: object = {}) =>
      users().call(
        createAccountKey,
        { params: { accountId }, body: newKey(changes) },
        { as: admin.accessToken },
      ),
    makeOwnKey: (person: SignedIn, changes: object = {}) =>
      users().call(createOwnKey, { body: newKey(changes) }, { as: person.accessToken }),
    exchange: (key: Pick<ApiKeyWithSecret, 'key'> | string, address = '10.1.1.1') =>
      users().call(
        exchangeApiKey,
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

export function claimsOf(token: string): AccessTokenClaims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}
