import {
  credentials,
  type identity,
  invitations,
  mailLinks,
  members,
  people,
  secondFactors,
  sessions,
} from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { links, pineInvites } from '../../../test/invitations-under-test.ts';
import { mailOf } from '../../../test/mail.ts';
import {
  federationOf,
  type ProviderUnderTest,
  providerUnderTest,
} from '../../../test/provider-under-test.ts';
import { statusesOf } from '../../../test/race.ts';
import { softwareAuthenticator } from '../../../test/software-authenticator.ts';

const pine = pineInvites();
const { clock, people: staff, as, sql, everything, eventsAbout, invited, accept, look } = pine;

let provider: ProviderUnderTest;
beforeAll(async () => {
  provider = await providerUnderTest();
});
afterAll(() => provider?.stop());

let users: ServiceUnderTest;
const federation = federationOf(
  () => users,
  () => provider,
);

let count = 0;
let anna: identity.SignedIn;
/** Whose provider made an account for Nina, and the account as it is there. */
let theirs: identity.SignedIn;
let nina: identity.SignedIn;
let email: string;
beforeEach(async () => {
  ({ users, anna } = pine.present());
  theirs = await staff.organisation('Oak');
  email = `nina${++count}@oak.example`;
  pine.inviteInstead(email);
  const providerId = await federation.connect(theirs, { createMembers: true, emailDomains: ['oak.example'] });
  nina = await federation.entered(theirs.organisation.id, providerId, `nina${count}`, {
    email,
    email_verified: true,
    name: 'Nina of Oak',
  });
});
const removed = async () =>
  users.call(members.remove, { params: { memberId: nina.user.id } }, await as(theirs));

describe('a person who only signed in with a provider and has no membership left', () => {
  it('accepts by setting a first password on the existing account', async () => {
    await removed();
    const { token } = await invited({ roles: ['user'] });
    expect((await look(token)).body.acceptBy).toBe('first-password');
    const accepted = (await accept(token)).body as identity.SignedIn;
    expect(accepted.user).toMatchObject({ id: nina.user.id, name: 'Nina of Oak', emailVerified: true });
    expect(claimsOf(accepted)).toMatchObject({ tid: anna.organisation.id, roles: ['user'], amr: ['pwd'] });
    expect((await staff.signIn(email)).organisation.name).toBe('Pine');
    const told = await eventsAbout(nina.user.id, invitations.firstPasswordSet.type);
    expect(told).toMatchObject([{ tenantid: anna.organisation.id, data: { factorsRemoved: 0 } }]);
    expect((await mailOf(users, told[0])).recipient.email).toBe(email);
  });

  it('must choose a strong password; after a refusal the link still works', async () => {
    await removed();
    const { token } = await invited();
    const before = await everything();
    expect(await accept(token, { password: 'Qwerty123' })).toBeRefused(credentials.PasswordTooWeak);
    expect(await everything()).toEqual(before);
    expect((await accept(token)).status).toBe(201);
  });

  it('loses passkeys and e-mail changes that the provider could have set up', async () => {
    const device = softwareAuthenticator();
    const asNina = { as: nina.accessToken };
    const passkey = device.create((await users.call(secondFactors.offerPasskey, {}, asNina)).body);
    await users.call(secondFactors.addPasskey, { body: { name: 'Planted', passkey } }, asNina);
    await users.call(people.changeEmail, { body: { email: 'mallory@oak.example' } }, asNina);
    const [asked] = await eventsAbout(nina.user.id, people.emailChangeAsked.type);
    const { verificationLinkId } = (asked?.data ?? {}) as { verificationLinkId: string };
    await removed();

    const { token } = await invited();
    expect((await accept(token)).status).toBe(201);
    const told = await eventsAbout(nina.user.id, invitations.firstPasswordSet.type);
    expect(told).toMatchObject([{ data: { factorsRemoved: 1 } }]);
    const assertion = device.sign((await users.call(secondFactors.challengePasskey, {})).body);
    expect(await users.call(secondFactors.loginWithPasskey, { body: { passkey: assertion } })).toBeRefused(
      secondFactors.ProofRefused,
    );
    const planted = links.linkToken(verificationLinkId, 'verify-email');
    expect(await users.call(people.finishEmailVerification, { body: { token: planted } })).toBeRefused(
      mailLinks.LinkRefused,
    );
  });

  it('joins once when two invitations are accepted at the same time', async () => {
    await removed();
    const elm = await staff.organisation('Elm');
    const tokens = [(await invited()).token, (await invited({}, elm)).token];
    const answers = await Promise.all(tokens.map((token) => accept(token)));
    expect(statusesOf(answers)).toEqual([201, 409]);
    const late = answers.findIndex(({ status }) => status === 409);
    expect(answers[late]).toBeRefused(invitations.SignInToAccept);
    expect((await look(tokens[late] ?? '')).body.acceptBy).toBe('sign-in');
    const places = await sql('select from workplace where person_id = $1', nina.user.id);
    expect(places).toHaveLength(1);
  });

  it('is asked for the password set in the meantime', async () => {
    await removed();
    const first = await invited();
    await accept(first.token);
    await users.call(members.remove, { params: { memberId: nina.user.id } }, await as(anna));
    clock.advance(60_000);
    const { token } = await invited();
    expect((await look(token)).body.acceptBy).toBe('password');
  });
});

describe('the invitation e-mail alone', () => {
  it('sets no password for a member of an organisation with a provider, even while suspended there', async () => {
    const { token } = await invited();
    const before = await everything();
    const refusedAs = async () => {
      expect((await look(token)).body.acceptBy).toBe('sign-in');
      expect(await accept(token)).toBeRefused(invitations.SignInToAccept);
    };
    await refusedAs();
    await users.call(members.suspend, { params: { memberId: nina.user.id } }, await as(theirs));
    await refusedAs();
    expect(await everything()).toEqual(before);
    expect(
      await sql('select from person where person_id = $1 and password_hash is null', nina.user.id),
    ).toHaveLength(1);
  });

  it('does not replace an existing password', async () => {
    const boris = await staff.member(theirs);
    pine.inviteInstead(boris.user.email);
    await users.call(members.remove, { params: { memberId: boris.user.id } }, await as(theirs));
    const { token } = await invited();
    expect((await accept(token, { password: 'another horse battery' })).status).toBe(401);
    const back = (await accept(token)).body as identity.SignedIn;
    expect((await users.call(sessions.me, {}, { as: back.accessToken })).body.user.id).toBe(boris.user.id);
  });
});
