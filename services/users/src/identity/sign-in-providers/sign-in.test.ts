import { StepUpRequired } from '@marimo/contracts';
import {
  identity,
  members,
  organisations,
  people,
  secondFactors,
  sessions,
  signInProviders,
} from '@marimo/contracts/users';
import { type ServiceUnderTest, serviceUnderTest, testClock } from '@marimo/testing';
import { usersService } from '../../../service.ts';
import { claimsOf } from '../../../test/claims.ts';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import { codeOf, personUnderTest } from '../../../test/person-with-factors.ts';
import {
  federationOf,
  type ProviderUnderTest,
  providerUnderTest,
} from '../../../test/provider-under-test.ts';
import { raceAt } from '../../../test/race.ts';

const clock = testClock(new Date().toISOString());
let users: ServiceUnderTest;
let provider: ProviderUnderTest;
beforeAll(async () => {
  provider = await providerUnderTest();
  users = await serviceUnderTest(usersService({ passwordCost: 4 }), { as: null, clock: clock.now });
});
afterAll(async () => {
  await users?.stop();
  await provider?.stop();
});

const staff = peopleOf(() => users, clock.now);
const federation = federationOf(
  () => users,
  () => provider,
);
let count = 0;
const account = () => `account-${++count}`;
const verified = (email: string, more: object = {}) => ({ email, email_verified: true, ...more });
const eventsAbout = async (subject: string) =>
  (await users.events()).filter((event) => event.subject === subject);
const openToExample = { createMembers: true, emailDomains: ['example.com'] };

describe("a person vouched for by their organisation's provider", () => {
  it('is recognised by the verified address first, and by the subject afterwards', async () => {
    const admin = await staff.organisation();
    const boris = await staff.member(admin);
    const providerId = await federation.connect(admin);
    const who = account();
    const here = admin.organisation.id;
    const first = await federation.entered(here, providerId, who, verified(boris.user.email.toUpperCase()));
    expect(first.user.id).toBe(boris.user.id);
    expect(claimsOf(first).amr).toEqual(['fed']);
    expect((await users.call(sessions.me, {}, { as: first.accessToken })).body.organisation.id).toBe(here);
    expect((await users.call(sessions.refresh, { body: { refreshToken: first.refreshToken } })).status).toBe(
      200,
    );

    // Whatever becomes of the address at the provider, it does not lead to somebody else.
    const anna = await staff.member(admin);
    const again = await federation.entered(here, providerId, who, verified(anna.user.email));
    expect(again.user.id).toBe(boris.user.id);
    const linked = (await eventsAbout(boris.user.id)).filter(
      ({ type }) => type === signInProviders.identityLinked.type,
    );
    expect(linked.map(({ data }) => data)).toEqual([{ userId: boris.user.id, providerId, created: false }]);
    expect(await eventsAbout(claimsOf(again).sid)).toMatchObject([
      { type: sessions.started.type, data: { method: 'federated', methods: ['fed'] } },
    ]);
  });

  it('becomes a member if the organisation allows it for their domain', async () => {
    const admin = await staff.organisation();
    const providerId = await federation.connect(admin, openToExample);
    const said = { name: 'Vera', locale: 'ru-RU', zoneinfo: 'Europe/Moscow' };
    const { user } = await federation.entered(
      admin.organisation.id,
      providerId,
      account(),
      verified('vera@Example.com', said),
    );
    expect(user).toMatchObject({
      name: 'Vera',
      email: 'vera@Example.com',
      emailVerified: true,
      language: 'ru',
      timeZone: 'Europe/Moscow',
    });
    expect((await eventsAbout(user.id)).map(({ type }) => type)).toEqual([
      members.joined.type,
      signInProviders.identityLinked.type,
    ]);
  });

  it('gets a usable name when the provider sends strange ones', async () => {
    const admin = await staff.organisation();
    const providerId = await federation.connect(admin, openToExample);
    const strange = { name: 'a\u0000b', locale: { ru: 1 }, zoneinfo: '+03:00', groups: [{}, null, 7] };
    const claims = verified('strange@example.com', strange);
    const { user } = await federation.entered(admin.organisation.id, providerId, account(), claims);
    expect(user).toMatchObject({ name: 'strange', language: 'en', timeZone: 'UTC' });
  });

  it('is one person when their first two sign-ins run at the same time', async () => {
    const admin = await staff.organisation();
    const providerId = await federation.connect(admin, openToExample);
    const who = account();
    await provider.says(who, verified('twice@example.com'));
    const here = admin.organisation.id;
    const enter = () => federation.enter(here, providerId, who);
    const lock = { sql: 'select from organisation where tenant_id = $1 for update', values: [here] };
    const answers = await raceAt<[Awaited<ReturnType<typeof enter>>, Awaited<ReturnType<typeof enter>>]>(
      users,
      here,
      lock,
      [enter, enter],
    );
    const [one, two] = answers.map(({ body }) => identity.SignedIn.parse(body).user.id);
    expect(one).toBe(two);
  });

  it.each([
    ['whose address it has not verified', { email: 'eve@example.com' }, 'email-unverified'],
    [
      'of whose address it only says "true"',
      { email: 'eve@example.com', email_verified: 'true' },
      'email-unverified',
    ],
    ['without an address', { email_verified: true }, 'email-unverified'],
    ['of another domain', verified('eve@evil.example.com'), 'no-member'],
  ])('is refused %s', async (_, claims, reason) => {
    const admin = await staff.organisation();
    const providerId = await federation.connect(admin, openToExample);
    const who = account();
    await provider.says(who, claims);
    const answer = await federation.enter(admin.organisation.id, providerId, who);
    expect(answer).toBeRefused(signInProviders.FederatedAccountRefused, { reason });
    expect(
      await users.database.sql('select from person where email_key = $1', [
        'email' in claims ? claims.email : '',
      ]),
    ).toEqual([]);
  });

  it('is refused if they have an account elsewhere, so that no provider takes over other accounts', async () => {
    const [admin, elsewhere] = [await staff.organisation(), await staff.organisation()];
    const providerId = await federation.connect(admin, openToExample);
    const enter = () =>
      federation.enter(admin.organisation.id, providerId, account(), verified(elsewhere.user.email));
    expect(await enter()).toBeRefused(signInProviders.FederatedAccountRefused, {
      reason: 'account-elsewhere',
    });
    await users.call(
      signInProviders.change,
      { params: { providerId }, body: { createMembers: false } },
      { as: admin.accessToken },
    );
    // Where nobody can join, nobody learns who has an account.
    expect(await enter()).toBeRefused(signInProviders.FederatedAccountRefused, { reason: 'no-member' });
  });

  it('is refused while their membership is suspended, recognised by subject or not', async () => {
    const admin = await staff.organisation();
    const boris = await staff.member(admin);
    const providerId = await federation.connect(admin);
    const [here, who] = [admin.organisation.id, account()];
    await federation.entered(here, providerId, who, verified(boris.user.email));
    await users.call(members.suspend, { params: { memberId: boris.user.id } }, { as: admin.accessToken });
    for (const each of [who, account()]) {
      const answer = await federation.enter(here, providerId, each, verified(boris.user.email));
      expect(answer).toBeRefused(signInProviders.FederatedAccountRefused, { reason: 'member-suspended' });
    }
  });

  it('has as few rights in a suspended organisation as with a password, and new people cannot join it', async () => {
    const admin = await staff.organisation();
    const boris = await staff.member(admin, ['accountant']);
    const providerId = await federation.connect(admin, openToExample);
    await users.call(organisations.suspend, {}, { as: admin.accessToken });
    const here = admin.organisation.id;
    const signedIn = await federation.entered(here, providerId, account(), verified(boris.user.email));
    expect(claimsOf(signedIn)).toMatchObject({ roles: [], grants: [] });
    const nobody = await federation.enter(here, providerId, account(), verified('new@example.com'));
    expect(nobody).toBeRefused(signInProviders.FederatedAccountRefused, { reason: 'no-member' });
  });
});

describe('the second factor after a provider', () => {
  it("is asked for, unless the organisation trusts the provider's", async () => {
    const person = await personUnderTest(users, clock);
    const providerId = await federation.connect(person.signedIn);
    const app = await person.addApp();
    const who = account();
    const claims = verified(person.email, { amr: ['pwd', 'mfa'] });
    const asked = await federation.enter(person.tenantId, providerId, who, claims);
    expect(asked.status).toBe(202);
    const { challenge } = secondFactors.SecondFactorAsked.parse(asked.body);
    const finished = await users.call(secondFactors.finishLogin, {
      body: { challenge, code: app.nextCode() },
    });
    expect(claimsOf(finished.body).amr).toEqual(['fed', 'otp', 'mfa']);

    const trusting = await federation.connect(finished.body, { trustSecondFactor: true });
    const trusted = await federation.entered(person.tenantId, trusting, who, claims);
    expect(claimsOf(trusted).amr).toEqual(['fed', 'mfa']);
    const without = await federation.enter(person.tenantId, trusting, account(), verified(person.email));
    expect(without.status).toBe(202);
  });
});

describe('the time of the proof of identity', () => {
  /** The browser is the person's, so it may leave out what we ask the provider for. */
  const entered = async (freshly: boolean, leftOut: readonly string[]) => {
    const admin = await staff.organisation();
    const providerId = await federation.connect(admin);
    const who = account();
    await provider.says(who, verified(admin.user.email));
    const body = { organisationId: admin.organisation.id, providerId, freshly };
    const { authorizationUrl, browserSecret } = (await users.call(signInProviders.beginSignIn, { body }))
      .body;
    const url = new URL(authorizationUrl);
    for (const parameter of leftOut) url.searchParams.delete(parameter);
    const brought = await provider.visit(url.href, who);
    const { accessToken } = await federation.finished({ ...brought, browserSecret });
    const email = `${account()}@example.com`;
    return (await users.call(people.changeEmail, { body: { email } }, { as: accessToken })).problem;
  };

  it('is taken from the provider, which is asked for it', async () => {
    expect((await entered(false, []))?.code).toBe('users.own-proof-needed'); // a young proof, if not an own one
  });

  it('is unknown and not recent if the provider does not tell it', async () => {
    expect((await entered(false, ['max_age']))?.code).toBe(StepUpRequired.definition.code);
  });

  it('is the present if the provider was asked for a new authentication but does not tell the time', async () => {
    expect((await entered(true, ['max_age', 'prompt']))?.code).toBe('users.own-proof-needed');
  });
});

it('a sign-in with a provider is asked for a second factor that is added at the same moment', async () => {
  const anna = await personUnderTest(users, clock);
  const as = { as: anna.signedIn.accessToken };
  const providerId = await federation.connect(anna.signedIn);
  const { factorId, secret } = (
    await users.call(secondFactors.enrolTotp, { body: { name: 'Telephone' } }, as)
  ).body;
  const body = { code: codeOf(secret, clock) };
  const who = account();
  await provider.says(who, verified(anna.email));
  const lock = { sql: 'select from person where person_id = $1 for no key update', values: [anna.id] };
  type Answers = readonly [{ readonly status: number }, { readonly status: number }];
  const [added, entered] = await raceAt<Answers>(users, anna.tenantId, lock, [
    () => users.call(secondFactors.confirmTotp, { params: { factorId }, body }, as),
    () => federation.enter(anna.tenantId, providerId, who),
  ]);
  expect([added.status, entered.status]).toEqual([200, 202]);
});

describe('the sign-in page', () => {
  it('shows the enabled providers of an organisation, and none of an unknown one', async () => {
    const admin = await staff.organisation();
    const providerId = await federation.connect(admin);
    await federation.connect(admin, { enabled: false });
    const options = async (organisationId: string) =>
      (await users.call(signInProviders.listSignInOptions, { params: { organisationId } })).body.items;
    expect(await options(admin.organisation.id)).toEqual([{ providerId, name: 'Keycloak' }]);
    expect(await options(providerId)).toEqual([]);
  });

  it("sends the browser back to the portal with the provider's parameters and nothing else", async () => {
    const admin = await staff.organisation();
    const here = admin.organisation.id;
    const { state } = await federation.begin(here, await federation.connect(admin));
    const query = new URLSearchParams({ state, code: 'c&d', iss: 'http://op', session_state: 'x' });
    const path = signInProviders.callback.path.replace('{organisationId}', here);
    const answer = await fetch(`${users.url}${path}?${query.toString()}`, { redirect: 'manual' });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(
      `http://localhost:8080/#/federated-sign-in?state=${state}&code=c%26d&iss=http%3A%2F%2Fop`,
    );
  });

  it('begins no sign-in with a provider that is disabled, unknown or of another organisation', async () => {
    const [admin, other] = [await staff.organisation(), await staff.organisation()];
    const disabled = await federation.connect(admin, { enabled: false });
    const theirs = await federation.connect(other);
    for (const providerId of [disabled, theirs, admin.user.id]) {
      const body = { organisationId: admin.organisation.id, providerId };
      expect(await users.call(signInProviders.beginSignIn, { body })).toBeRefused(
        signInProviders.FederatedSignInRefused,
      );
    }
  });
});
