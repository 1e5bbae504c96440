import { Absent, Forbidden, newId, Stale } from '@marimo/contracts';
import { type identity, limits, roles, signInProviders } from '@marimo/contracts/users';
import { type ServiceUnderTest, serviceUnderTest, testClock } from '@marimo/testing';
import { usersService } from '../../../service.ts';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import {
  federationOf,
  type ProviderUnderTest,
  providerUnderTest,
} from '../../../test/provider-under-test.ts';
import { statusesOf } from '../../../test/race.ts';

const clock = testClock(new Date().toISOString());
let users: ServiceUnderTest;
let provider: ProviderUnderTest;
let admin: identity.SignedIn;
beforeAll(async () => {
  provider = await providerUnderTest();
  users = await serviceUnderTest(usersService({ passwordCost: 4 }), { as: null, clock: clock.now });
});
beforeEach(async () => {
  admin = await people.organisation();
});
afterAll(async () => {
  await users?.stop();
  await provider?.stop();
});

const people = peopleOf(() => users, clock.now);
const federation = federationOf(
  () => users,
  () => provider,
);
const asAdmin = () => ({ as: admin.accessToken });
const wanted = (changes: object = {}) => ({
  providerId: newId(),
  name: 'Keycloak',
  issuer: 'https://id.example.com/realms/pine',
  clientId: 'marimo',
  clientSecret: 'quite secret',
  ...changes,
});
const connect = (body: ReturnType<typeof wanted>, as = asAdmin()) =>
  users.call(signInProviders.connect, { body }, as);
const change = (providerId: string, body: object, headers: Record<string, string> = {}) =>
  users.call(signInProviders.change, { params: { providerId }, body }, { ...asAdmin(), headers });

describe('adding a sign-in provider', () => {
  it('works while the provider is unavailable, returns what to enter there, and never shows the secret', async () => {
    const body = wanted();
    const answer = await connect(body);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      providerId: body.providerId,
      hasClientSecret: true,
      redirectUri: `http://localhost:8080/api/v1/users/federated-sign-ins/callback/${admin.organisation.id}`,
      scopes: ['email', 'openid', 'profile'],
      enabled: true,
      createMembers: false,
    });
    const got = await users.call(signInProviders.get, { params: { providerId: body.providerId } }, asAdmin());
    const listed = await users.call(signInProviders.list, {}, asAdmin());
    expect(listed.body.items).toContainEqual(got.body);
    const [stored] = await users.database.sql<{ sealed_secret: Buffer }>(
      'select * from sign_in_provider where provider_id = $1',
      [body.providerId],
    );
    expect(stored?.sealed_secret.includes('quite secret')).toBe(false);
    const told = (await users.events()).filter(({ subject }) => subject === body.providerId);
    expect(told).toMatchObject([{ type: signInProviders.connected.type }]);
    for (const text of [answer.json, got.json, listed.json, told]) {
      expect(JSON.stringify(text)).not.toContain('quite secret');
    }
  });

  it('accepts domains in Unicode and stores them in ASCII', async () => {
    const body = wanted({ emailDomains: ['bücher.example', 'почта.рф', 'example.com'] });
    const { emailDomains } = (await connect(body)).body;
    expect(emailDomains).toEqual(['example.com', 'xn--80a1acny.xn--p1ai', 'xn--bcher-kva.example']);
    expect((await connect(body)).status).toBe(200);
  });

  it('stores how the client secret is sent', async () => {
    const body = wanted({ clientAuthentication: 'client_secret_basic' });
    expect((await connect(body)).body.clientAuthentication).toBe('client_secret_basic');
    const { providerId } = body;
    const got = await users.call(signInProviders.get, { params: { providerId } }, asAdmin());
    const headers = { 'if-match': got.headers.get('etag') ?? '' };
    const changed = await change(providerId, { clientAuthentication: null }, headers);
    expect(changed.body.clientAuthentication).toBeNull();
  });

  it('can be repeated, and is a conflict with another content or another secret', async () => {
    const body = wanted();
    await connect(body);
    expect((await connect(body)).status).toBe(200);
    for (const other of [{ name: 'Other' }, { clientSecret: 'other' }, { roles: { a: 'user' } }]) {
      expect(await connect({ ...body, ...other })).toBeRefused(signInProviders.SignInProviderConflict);
    }
  });

  it('is limited to ten, also with concurrent requests', async () => {
    const most = limits.mostAtATime.signInProviders;
    const first = wanted();
    await connect(first);
    for (let n = 2; n < most; n += 1) expect((await connect(wanted())).status).toBe(201);
    const answers = await Promise.all([connect(wanted()), connect(wanted())]);
    expect(statusesOf(answers)).toEqual([201, 422]);
    expect(await connect(wanted())).toBeRefused(limits.LimitReached, { limited: 'signInProviders', most });
    expect((await connect(first)).status).toBe(200);
  });

  it('requires the permission', async () => {
    const boris = await people.member(admin, ['manager']);
    expect(await connect(wanted(), { as: boris.accessToken })).toBeRefused(Forbidden);
  });

  it.each([
    ['ftp://id.example.com'],
    ['https://id.example.com/?realm=1'],
    ['https://id.example.com/#x'],
    ['https://user:secret@id.example.com'],
    ['nonsense'],
  ])('refuses %s as an issuer', async (issuer) => {
    expect((await connect(wanted({ issuer }))).status).toBe(400);
  });
});

describe('changing a sign-in provider', () => {
  it('updates the given fields once, and only with the current ETag', async () => {
    const body = wanted();
    await connect(body);
    const params = { providerId: body.providerId };
    const etag = (await users.call(signInProviders.get, { params }, asAdmin())).headers.get('etag') ?? '';
    const changed = await change(body.providerId, { name: 'SSO', clientSecret: null }, { 'if-match': etag });
    expect(changed.body).toMatchObject({ name: 'SSO', hasClientSecret: false, issuer: body.issuer });
    expect(await change(body.providerId, { name: 'X' }, { 'if-match': etag })).toBeRefused(Stale);
    expect((await change(body.providerId, { name: 'SSO' })).status).toBe(200);
    const told = (await users.events()).filter(
      ({ type, subject }) => type === signInProviders.changed.type && subject === body.providerId,
    );
    expect(told.map(({ data }) => data)).toEqual([
      { providerId: body.providerId, name: 'SSO', changed: ['name', 'clientSecret'] },
    ]);
  });

  it('forgets known subjects when the issuer changes, because they are other people there', async () => {
    const boris = await people.member(admin);
    const vera = await people.member(admin);
    const other = await providerUnderTest();
    const providerId = await federation.connect(admin);
    const here = admin.organisation.id;
    await federation.entered(here, providerId, '1', { email: boris.user.email, email_verified: true });
    await change(providerId, { issuer: other.issuer, clientSecret: 'secret of marimo' });
    await other.says('1', { email: vera.user.email, email_verified: true });
    const { authorizationUrl, browserSecret } = await federation.begin(here, providerId);
    const brought = await other.visit(authorizationUrl, '1');
    const { user } = await federation.finished({ ...brought, browserSecret });
    await other.stop();
    expect(user.id).toBe(vera.user.id);
  });

  it('does not send the stored secret to another issuer', async () => {
    const body = wanted();
    await connect(body);
    const elsewhere = { issuer: 'https://id.elsewhere.example' };
    expect(await change(body.providerId, elsewhere)).toBeRefused(signInProviders.SignInProviderUnusable);
    const params = { providerId: body.providerId };
    const kept = await users.call(signInProviders.get, { params }, asAdmin());
    expect(kept.body).toMatchObject({ issuer: body.issuer, hasClientSecret: true });
    expect((await change(body.providerId, { ...elsewhere, clientSecret: 'its own' })).status).toBe(200);
    expect((await change(body.providerId, { issuer: body.issuer, clientSecret: null })).status).toBe(200);
    expect((await change(body.providerId, elsewhere)).status).toBe(200);
  });

  it('can always disable it, even with a deleted role in its mapping, but not enable it', async () => {
    const body = wanted();
    await connect(body);
    await users.database.sql(`update sign_in_provider set roles = '{"a": "gone"}' where provider_id = $1`, [
      body.providerId,
    ]);
    expect((await change(body.providerId, { enabled: false })).body.enabled).toBe(false);
    expect(await change(body.providerId, { enabled: true })).toBeRefused(roles.RoleUnknown);
  });

  it('finds none of another organisation', async () => {
    const body = wanted();
    await connect(body);
    const { accessToken: as } = await people.organisation();
    const { providerId } = body;
    for (const params of [{ providerId }, { providerId: newId() }]) {
      expect(await users.call(signInProviders.get, { params }, { as })).toBeRefused(Absent);
      const renamed = await users.call(signInProviders.change, { params, body: { name: 'Mine' } }, { as });
      expect(renamed).toBeRefused(Absent);
    }
    expect((await connect(body, { as })).status).toBe(201); // its own, under the same id
  });
});

describe('after JWT_SECRET was lost', () => {
  it('asks to enter the client secret again, and then works', async () => {
    const providerId = await federation.connect(admin);
    await users.database.sql("update factor_key set sealed_key = 'sealed with another secret'");
    const begin = () =>
      users.call(signInProviders.beginSignIn, {
        body: { organisationId: admin.organisation.id, providerId },
      });
    const refused = await begin();
    expect(refused).toBeRefused(signInProviders.SignInProviderUnusable);
    expect(JSON.stringify(refused.json)).toContain('Enter the secret again');
    await change(providerId, { clientSecret: 'secret of marimo' });
    expect((await begin()).status).toBe(201);
  });
});
