import { MalformedRequest } from '@marimo/contracts';
import { accessTokens, organisations, sessions } from '@marimo/contracts/users';
import { sharedSigner, tokenFor } from '@marimo/testing';
import { password } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';
import { countSeenSince } from '../../identity/people/index.ts';

const users = useUsers();

let count = 0;
const registered = async (changes: object = {}) => {
  const email = `anna${++count}@example.com`;
  const body = { organisation: 'Pine & Co', name: 'Anna', email, password, ...changes };
  return users.call(sessions.register, { body });
};

describe('the signed-in caller', () => {
  it('gets their organisation and permissions', async () => {
    const { body } = await registered();
    await users.database.sql('update role_assignment set role = $1 where person_id = $2', [
      'accountant',
      body.user.id,
    ]);
    await users.database.sql(
      `insert into role_assignment (tenant_id, assignment_id, person_id, role, valid_from, granted_at)
       select tenant_id, gen_random_uuid(), person_id, 'user', now() - interval '1 day', now() from role_assignment
        where person_id = $1`,
      [body.user.id],
    );
    const who = await users.call(sessions.me, {}, { as: body.accessToken });
    expect(who.body.roles).toEqual(['accountant', 'user']);
    expect(who.body.permissions).toEqual(['accounting.*', 'workers.notification.*']);
  });

  it('reads their own organisation and no other', async () => {
    const [one, other] = [
      await registered({ organisation: 'Pine' }),
      await registered({ organisation: 'Oak' }),
    ];
    const mine = await users.call(organisations.get, {}, { as: one.body.accessToken });
    const theirs = await users.call(organisations.get, {}, { as: other.body.accessToken });
    expect([mine.body.name, theirs.body.name]).toEqual(['Pine', 'Oak']);
  });

  it('is refused with a token signed by another key', async () => {
    expect((await users.call(sessions.me, {})).status).toBe(401);
    expect((await users.call(sessions.me, {}, { as: tokenFor() })).status).toBe(401);
    const { keys } = (await users.call(accessTokens.getSigningKeys, {})).body;
    const disguised = sharedSigner().sign({}, { kid: keys[0]?.kid });
    expect((await users.call(sessions.me, {}, { as: disguised })).status).toBe(401);
  });
});

describe('the fields of a registration', () => {
  it.each([
    ['a currency that does not exist', { baseCurrency: 'ABC' }, '/baseCurrency'],
    ['an e-mail with a line break', { email: 'a@example.com\r\nBcc: b@example.com' }, '/email'],
    ['a name with a line break', { name: 'Anna\nBcc: b@example.com' }, '/name'],
    ['an empty name', { organisation: '   ' }, '/organisation'],
    ['a password of 257 characters', { password: 'x1Y '.repeat(64).concat('z') }, '/password'],
    ['an unknown field', { roles: ['admin'] }, ''],
  ])('refuse %s', async (_, changes, pointer) => {
    const answer = await registered(changes);
    expect(answer).toBeRefused(MalformedRequest);
    expect(JSON.stringify(answer.problem)).toContain(`"pointer":"${pointer}`);
  });
});

it('publishes its public keys with a cache lifetime, and nothing private', async () => {
  const answer = await users.call(accessTokens.getSigningKeys, {});
  expect(answer.headers.get('cache-control')).toBe('public, max-age=60, stale-if-error=86400');
  expect(Object.keys(answer.body.keys[0] ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
});

it('counts sign-in attempts, tokens and active people', async () => {
  const { body } = await registered();
  await users.call(sessions.login, { body: { email: body.user.email, password } });
  await users.call(sessions.login, { body: { email: body.user.email, password: 'wrong horse' } });
  const text = await (await fetch(`${users.url}/metrics`)).text();
  expect(text).toMatch(/auth_attempts_total\{[^}]*outcome="success"[^}]*\} 1/);
  expect(text).toMatch(/auth_attempts_total\{[^}]*outcome="failure"[^}]*\} 1/);
  expect(text).toMatch(/tokens_issued_total\{[^}]*type="access"[^}]*\} [1-9]/);
  expect(text).toMatch(/active_users_total/);

  const seenSince = (moment: number) =>
    users.database.database.withoutTenant((tx) => countSeenSince(tx, new Date(moment)));
  expect(await seenSince(Date.now() - 60_000)).toBe((await users.rows('person')).length);
  expect(await seenSince(Date.now() + 60_000)).toBe(0);
});
