import { Absent, newId } from '@marimo/contracts';
import {
  credentials,
  deviceSessions,
  type identity,
  knownDevices,
  organisations,
  people,
  personalData,
  secondFactors,
} from '@marimo/contracts/users';
import { type ServiceUnderTest, serviceUnderTest, testClock } from '@marimo/testing';
import { usersService } from '../../../service.ts';
import { claimsOf } from '../../../test/claims.ts';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import {
  federationOf,
  type ProviderUnderTest,
  providerUnderTest,
} from '../../../test/provider-under-test.ts';

const clock = testClock(new Date().toISOString());
let users: ServiceUnderTest;
let provider: ProviderUnderTest;
/** The organisation whose provider says whatever its administrator wants, and the one that trusts nobody but itself. */
let theirs: identity.SignedIn;
let ours: identity.SignedIn;
/** A person of both; `vouched`: what the provider of the one signs in as them. */
let anna: identity.SignedIn;
let vouched: identity.SignedIn;
let providerId: string;
beforeAll(async () => {
  provider = await providerUnderTest();
  users = await serviceUnderTest(usersService({ passwordCost: 4 }), { as: null, clock: clock.now });
});
beforeEach(async () => {
  ours = await staff.organisation();
  theirs = await staff.organisation();
  anna = await staff.member(ours, ['accountant']);
  await staff.member(theirs, ['user'], { who: anna });
  providerId = await federation.connect(theirs, { trustSecondFactor: true });
  vouched = await vouchedAgain();
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
const vouchedAgain = () =>
  federation.entered(theirs.organisation.id, providerId, 'anyone', {
    email: anna.user.email,
    email_verified: true,
    amr: ['mfa'],
  });
const asVouched = () => ({ as: vouched.accessToken });

describe("a person vouched for only by their organisation's provider", () => {
  it('cannot enter their other organisations', async () => {
    const body = { organisationId: ours.organisation.id };
    expect(await users.call(organisations.switchTo, { body }, asVouched())).toBeRefused(
      credentials.OwnProofNeeded,
    );
    const [session] = await users.database.sql('select ended_at from session where session_id = $1', [
      claimsOf(vouched).sid,
    ]);
    expect(session).toEqual({ ended_at: null });
    expect(
      (await users.call(organisations.listMemberships, {}, asVouched())).body.items.map(({ id }) => id),
    ).toEqual([theirs.organisation.id]);
  });

  it('cannot set up own credentials, change the address, or export or erase what others keep', async () => {
    const { email } = anna.user;
    const params = { factorId: newId() };
    const answers = [
      await users.call(secondFactors.enrolTotp, { body: { name: 'Mine' } }, asVouched()),
      await users.call(secondFactors.offerPasskey, {}, asVouched()),
      await users.call(secondFactors.remove, { params }, asVouched()),
      await users.call(secondFactors.renewRecoveryCodes, {}, asVouched()),
      await users.call(people.changeEmail, { body: { email: 'mallory@example.com' } }, asVouched()),
      await users.call(people.changeMe, { body: { name: 'Mallory' } }, asVouched()),
      await users.call(personalData.exportMine, {}, asVouched()),
      await users.call(personalData.eraseMe, { body: { email } }, asVouched()),
      await users.call(knownDevices.remember, {}, asVouched()),
    ];
    for (const answer of answers) expect(answer).toBeRefused(credentials.OwnProofNeeded);
    const [person] = await users.database.sql('select name, email from person where person_id = $1', [
      anna.user.id,
    ]);
    expect(person).toEqual({ name: anna.user.name, email });
    expect(
      await users.database.sql('select from second_factor where person_id = $1', [anna.user.id]),
    ).toEqual([]);
  });

  it('neither sees nor ends sessions in another organisation', async () => {
    await staff.anew(anna);
    await users.database.sql('update person set last_tenant_id = $2 where person_id = $1', [
      anna.user.id,
      ours.organisation.id,
    ]);
    const own = await staff.signIn(anna.user.email);
    expect(own.organisation.id).toBe(ours.organisation.id);
    const { items } = (await users.call(deviceSessions.listMine, {}, asVouched())).body;
    expect(new Set(items.map(({ organisation }) => organisation.id))).toEqual(
      new Set([theirs.organisation.id]),
    );
    const params = { sessionId: claimsOf(own).sid };
    expect(await users.call(deviceSessions.revokeMine, { params }, asVouched())).toBeRefused(Absent);
    await users.call(deviceSessions.revokeAllMine, { body: { which: 'others' } }, asVouched());
    const [session] = await users.database.sql('select ended_at from session where session_id = $1', [
      params.sessionId,
    ]);
    expect(session).toEqual({ ended_at: null });
  });

  it('cannot guess the password in one session after another', async () => {
    for (let guess = 0; guess < 10; guess += 1) {
      if (guess === 5) vouched = await vouchedAgain();
      const answer = await users.call(
        secondFactors.stepUp,
        { body: { password: `guess ${guess}` } },
        asVouched(),
      );
      expect(answer).toBeRefused(secondFactors.ProofRefused);
    }
    vouched = await vouchedAgain();
    expect(await users.call(secondFactors.stepUp, { body: { password: 'guess' } }, asVouched())).toBeRefused(
      credentials.TooManyAttempts,
    );
    // Somebody who signed in themselves has attempts of their own.
    const own = await staff.signIn(anna.user.email);
    expect(
      (await users.call(secondFactors.stepUp, { body: { password } }, { as: own.accessToken })).status,
    ).toBe(200);
  });
});

describe('a person who signed in with a provider', () => {
  it('can switch organisations after an authentication of their own', async () => {
    const proved = (await users.call(secondFactors.stepUp, { body: { password } }, asVouched())).body
      .accessToken;
    const body = { organisationId: ours.organisation.id };
    const there = await users.call(organisations.switchTo, { body }, { as: proved });
    expect(there.body.organisation.id).toBe(ours.organisation.id);
    // The second factor that the provider says it has seen counts in its own organisation only.
    expect(claimsOf({ accessToken: proved }).amr).toEqual(['pwd', 'fed', 'mfa']);
    expect(claimsOf(there.body).amr).toEqual(['pwd']);
  });

  it('controls their account while they have no password and belong to this organisation only', async () => {
    const open = await federation.connect(theirs, { createMembers: true, emailDomains: ['example.com'] });
    const claims = { email: `${newId()}@example.com`, email_verified: true };
    const vera = await federation.entered(theirs.organisation.id, open, newId(), claims);
    const as = { as: vera.accessToken };
    expect((await users.call(secondFactors.enrolTotp, { body: { name: 'Telephone' } }, as)).status).toBe(201);
    expect((await users.call(people.changeMe, { body: { name: 'Vera' } }, as)).status).toBe(200);
    expect(await users.call(people.askEmailVerification, {}, as)).toMatchObject({ status: 409 });

    await staff.member(ours, ['user'], { who: vera }).catch(() => undefined); // she has no password to sign in with
    expect(await users.call(secondFactors.enrolTotp, { body: { name: 'Another' } }, as)).toBeRefused(
      credentials.OwnProofNeeded,
    );
    const body = { organisationId: ours.organisation.id };
    expect(await users.call(organisations.switchTo, { body }, as)).toBeRefused(credentials.OwnProofNeeded);
  });
});
