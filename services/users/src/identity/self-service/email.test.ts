import { newId, StepUpRequired } from '@marimo/contracts';
import { type identity, mailLinks, people, sessions } from '@marimo/contracts/users';
import { testClock } from '@marimo/testing';
import { mailOf, tokenOf } from '../../../test/mail.ts';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';

const clock = testClock(new Date().toISOString());
const day = 24 * 60 * 60_000;
const users = useUsers({ clock: clock.now });
const staff = peopleOf(() => users, clock.now);
let anna: identity.SignedIn;
beforeEach(async () => {
  anna = await staff.organisation();
});

const eventsOf = async (type: string, userId = anna.user.id) =>
  (await users.events()).filter((event) => event.type === type && event.subject === userId);
const sentToken = async (userId = anna.user.id) =>
  tokenOf(users, (await eventsOf(people.emailVerificationAsked.type, userId)).at(-1));
const finish = (token: string) => users.call(people.finishEmailVerification, { body: { token } });
const seen = async ({ user: { email } }: identity.SignedIn = anna) => {
  const { accessToken: as } = await staff.signIn(email);
  return (await users.call(sessions.me, {}, { as })).body.user;
};

describe('verifying an e-mail address', () => {
  it('succeeds once with the link of the first e-mail', async () => {
    expect(anna.user.emailVerified).toBe(false);
    const token = await sentToken();
    expect((await finish(token)).status).toBe(204);
    expect(await seen()).toMatchObject({ email: anna.user.email, emailVerified: true });
    expect(await finish(token)).toBeRefused(mailLinks.LinkRefused);
    const told = await eventsOf(people.emailVerified.type);
    expect(told).toMatchObject([{ actorid: anna.user.id, tenantid: anna.organisation.id }]);
  });

  it('is possible until three days have passed', async () => {
    const token = await sentToken();
    clock.advance(3 * day);
    expect(await finish(token)).toBeRefused(mailLinks.LinkRefused);
    expect((await seen()).emailVerified).toBe(false);
  });

  it('sends another link on request, and only that one works', async () => {
    const first = await sentToken();
    const again = () => users.call(people.askEmailVerification, {}, { as: anna.accessToken });
    expect((await again()).status).toBe(202);
    expect(await finish(first)).toBeRefused(mailLinks.LinkRefused);
    expect((await again()).status).toBe(202);
    expect(await again()).toBeRefused(people.TooManyMails);
    expect((await finish(await sentToken())).status).toBe(204);
    expect(await again()).toBeRefused(people.EmailVerifiedAlready);
  });

  it('is not possible with the link for a new password, which verifies the address when used', async () => {
    await users.call(people.askPasswordReset, { body: { email: anna.user.email } });
    const token = await tokenOf(users, (await eventsOf(people.passwordResetAsked.type))[0]);
    expect(await finish(token)).toBeRefused(mailLinks.LinkRefused);
  });
});

describe('changing the e-mail', () => {
  const change = (email: string, { accessToken: as }: identity.SignedIn = anna) =>
    users.call(people.changeEmail, { body: { email } }, { as });
  const fresh = () => `anna-${newId()}@example.org`;

  it('takes effect when the link sent to the new address is used', async () => {
    const email = fresh();
    expect((await change(email)).status).toBe(202);
    expect((await seen()).email).toBe(anna.user.email);
    const [_, asked] = await eventsOf(people.emailVerificationAsked.type);
    expect((await mailOf(users, asked)).recipient.email).toBe(email);

    expect((await finish(await tokenOf(users, asked))).status).toBe(204);
    expect(await seen({ ...anna, user: { ...anna.user, email } })).toMatchObject({
      email,
      emailVerified: true,
    });
    const old = await users.call(sessions.login, { body: { email: anna.user.email, password } });
    expect(old.status).toBe(401);
    expect(await eventsOf(people.emailChanged.type)).toMatchObject([{ actorid: anna.user.id }]);
  });

  it('notifies the old address at once, and publishes no address', async () => {
    const email = fresh();
    await change(email);
    const [told] = await eventsOf(people.emailChangeAsked.type);
    expect(await mailOf(users, told)).toMatchObject({ url: null, recipient: { email: anna.user.email } });
    const events = JSON.stringify([told, ...(await eventsOf(people.emailVerificationAsked.type))]);
    expect(events).not.toContain(email);
    expect(events).not.toContain(anna.user.email);
  });

  it('requires a recent proof of identity', async () => {
    clock.advance(11 * 60_000);
    expect(await change(fresh())).toBeRefused(StepUpRequired);
    expect(await eventsOf(people.emailChangeAsked.type)).toEqual([]);
  });

  it('to a taken address looks the same until its owner opens the link', async () => {
    const boris = await staff.organisation();
    const free = await change(fresh());
    const taken = await change(boris.user.email);
    expect([taken.status, taken.json]).toEqual([free.status, free.json]);
    const token = await sentToken();
    expect(await finish(token)).toBeRefused(people.EmailInUse);
    expect((await seen()).email).toBe(anna.user.email);
    expect((await seen(boris)).email).toBe(boris.user.email);
  });

  it('of two people to the same address at once succeeds for one', async () => {
    const boris = await staff.organisation();
    const email = fresh();
    await change(email);
    await change(email.toUpperCase(), boris);
    const tokens = [await sentToken(), await sentToken(boris.user.id)];
    const both = await Promise.all(tokens.map(finish));
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([204, 409]);
    const people = await users.rows<{ email_key: string }>('person');
    expect(people.filter(({ email_key: key }) => key === email)).toHaveLength(1);
  });

  it('voids the link for a new password sent to the old address', async () => {
    await users.call(people.askPasswordReset, { body: { email: anna.user.email } });
    const token = await tokenOf(users, (await eventsOf(people.passwordResetAsked.type))[0]);
    await change(fresh());
    await finish(await sentToken());
    const body = { token, password: 'seven lazy marmots sleep' };
    expect(await users.call(people.finishPasswordReset, { body })).toBeRefused(mailLinks.LinkRefused);
  });

  it('requested by an intruder is cancelled when the owner changes the password', async () => {
    await change(fresh());
    const token = await sentToken();
    const body = { current: password, new: 'seven lazy marmots sleep' };
    expect((await users.call(people.changePassword, { body }, { as: anna.accessToken })).status).toBe(200);
    expect(await finish(token)).toBeRefused(mailLinks.LinkRefused);
  });

  it('is limited per person', async () => {
    expect([(await change(fresh())).status, (await change(fresh())).status]).toEqual([202, 202]);
    expect(await change(fresh())).toBeRefused(people.TooManyMails);
    expect((await change(fresh(), await staff.organisation())).status).toBe(202);
  });

  it('is limited per mailbox', async () => {
    const email = fresh();
    expect([(await change(email)).status, (await change(email)).status]).toEqual([202, 202]);
    expect(await change(email)).toBeRefused(people.TooManyMails);
    expect(await change(email, await staff.organisation())).toBeRefused(people.TooManyMails);
  });
});
