import { Absent, Forbidden, MalformedRequest, newId } from '@marimo/contracts';
import {
  credentials,
  type identity,
  invitations,
  limits,
  members,
  organisations,
  roles,
} from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { links, pineInvites } from '../../../test/invitations-under-test.ts';
import { raceAt, statusesOf } from '../../../test/race.ts';

const pine = pineInvites();
const { clock, people, as, sql, everything, invite, eventsAbout, tokenOf, invited, accept, look } = pine;
const minutes = 60_000;
const days = 24 * 60 * minutes;

let users: ServiceUnderTest;
let anna: identity.SignedIn;
let email: string;
beforeEach(() => {
  ({ users, anna, email } = pine.present());
});

describe('inviting a person', () => {
  it('stores the invitation for a week and sends an e-mail, with no secret in the event', async () => {
    const { invitation, token } = await invited({ roles: ['accountant'], language: 'ru' });
    expect(invitation).toMatchObject({
      email,
      roles: ['accountant'],
      validUntil: null,
      language: 'ru',
      state: 'open',
      invitedBy: anna.user.id,
      expiresAt: new Date(clock.now().getTime() + 7 * days),
    });
    const [event, ...more] = await eventsAbout(invitation.id, invitations.invited.type);
    expect(more).toEqual([]);
    expect(event).toMatchObject({ actorid: anna.user.id, data: { roles: ['accountant'] } });
    const said = JSON.stringify(event);
    expect([said.includes(token), said.includes(email)]).toEqual([false, false]);
    expect((await everything()).links).toMatchObject([
      { email, name: email, language: 'ru', person_id: null },
    ]);
  });

  it('gives the same reply whether or not the address has an account', async () => {
    const elsewhere = await people.organisation('Oak');
    const known = (await invite({ email: elsewhere.user.email })).body;
    const unknown = (await invite()).body;
    const its = { id: '', email: '', invitedAt: '', expiresAt: '' };
    expect({ ...unknown, ...its }).toEqual({ ...known, ...its });
  });

  it('replaces the open invitation when sent again, and only the newer link works', async () => {
    const first = await invited();
    clock.advance(1 * minutes);
    const second = await invited({ email: email.toUpperCase(), roles: ['user'] });
    const { items } = (await users.call(invitations.list, { query: {} }, await as(anna))).body;
    expect(items.map(({ id, state }) => [id, state])).toEqual([
      [second.invitation.id, 'open'],
      [first.invitation.id, 'replaced'],
    ]);
    expect(await look(first.token)).toBeRefused(invitations.InvitationUnusable);
    expect((await look(second.token)).status).toBe(200);
  });

  it('returns the same invitation for a repeated request, and refuses another request with its key', async () => {
    const idempotencyKey = newId();
    const token = await as(anna);
    const one = await users.call(invitations.invite, { body: { email }, idempotencyKey }, token);
    const again = await users.call(invitations.invite, { body: { email }, idempotencyKey }, token);
    expect(again.body).toEqual(one.body);
    const other = await users.call(
      invitations.invite,
      { body: { email: `x${email}` }, idempotencyKey },
      token,
    );
    expect(other.problem?.code).toBe('platform.idempotency-key-reused');
    expect((await everything()).invitations).toHaveLength(1);
  });

  it('refuses an address of an active or suspended member', async () => {
    const boris = await people.member(anna);
    const before = await everything();
    expect(await invite({ email: boris.user.email })).toBeRefused(invitations.AlreadyMember);
    await sql("update member set state = 'suspended' where person_id = $1", boris.user.id);
    expect(await invite({ email: boris.user.email })).toBeRefused(invitations.AlreadyMember);
    await sql("update member set state = 'active' where person_id = $1", boris.user.id);
    expect(await everything()).toEqual(before);
  });

  it.each([
    ['an undefined role', { roles: ['gardener'] }, roles.RoleUnknown],
    [
      'duties that check each other',
      { roles: ['accountant', 'purchaser'] },
      roles.SeparationOfDutiesViolated,
    ],
    [
      'roles whose time has passed',
      { roles: ['user'], validUntil: '2020-01-01T00:00:00Z' },
      roles.ValidityOver,
    ],
    ['an invalid address', { email: 'nobody' }, MalformedRequest],
    ['an unknown field', { state: 'accepted' }, MalformedRequest],
  ])('refuses %s and stores nothing', async (_, body, refusal) => {
    // Who buys may not pay: a role of the organisation's own that conflicts with the accountant's.
    const purchaser = ['users.role.*', 'accounting.*', 'users.member.*'];
    await people.plantRoles(anna.organisation.id, { purchaser });
    const before = await everything();
    expect(await invite(body)).toBeRefused(refusal);
    expect(await everything()).toEqual(before);
  });

  it('requires the right to assign roles, and grants no more than the sender has', async () => {
    await people.plantRoles(anna.organisation.id, {
      host: ['users.member.invite'],
      giver: ['users.member.invite', 'users.role.assign'],
    });
    const host = await people.member(anna, ['host']);
    const giver = await people.member(anna, ['giver']);
    const before = await everything();
    const refused = await invite({ roles: ['user'] }, host);
    expect(refused).toBeRefused(Forbidden, { permission: 'users.role.assign' });
    expect(await invite({ roles: ['admin'] }, giver)).toBeRefused(roles.GrantsBeyondOwn);
    expect(await everything()).toEqual(before);
    expect((await invite({}, host)).status).toBe(201);
  });

  it('limits e-mails per mailbox and per day', async () => {
    await invite();
    const soon = await invite();
    expect(soon).toBeRefused(invitations.TooManyInvitations, { limit: 200 });
    expect(Number(soon.headers.get('retry-after'))).toBeGreaterThan(0);
    const [first] = (await everything()).invitations as { invitation_id: string }[];
    const params = { invitationId: first?.invitation_id ?? '' };
    await users.call(invitations.revoke, { params }, await as(anna));
    expect(await invite({ email: email.toUpperCase() })).toBeRefused(invitations.TooManyInvitations);
    await sql('update invitation set mails = 200 where tenant_id = $1', anna.organisation.id);
    expect(await invite({ email: 'another@example.com' })).toBeRefused(invitations.TooManyInvitations);
    clock.advance(1 * days);
    expect((await invite({ email: 'another@example.com' })).status).toBe(201);
  });
});

it('grants each role once, however often it is named', async () => {
  const { invitation, token } = await invited({ roles: ['user', 'agent', 'user'] });
  expect(invitation.roles).toEqual(['user', 'agent']);
  const { user } = (await accept(token)).body as identity.SignedIn;
  const given = await sql('select role from role_assignment where person_id = $1 order by role', user.id);
  expect(given).toEqual([{ role: 'agent' }, { role: 'user' }]);
});

it('allows at most a thousand open invitations, also with concurrent requests', async () => {
  const most = limits.mostAtATime.openInvitations;
  const { invitation } = await invited();
  await sql(
    `insert into invitation (tenant_id, invitation_id, link_id, email, email_key, roles, language, invited_by,
                             invited_at, mailed_at, mails, expires_at)
     select tenant_id, gen_random_uuid(), gen_random_uuid(), n || email, n || email_key, roles, language, invited_by,
            invited_at, mailed_at, 0, case when n < $2 - 1 then expires_at else mailed_at end
       from invitation, generate_series(1, $2 - 1) as n where tenant_id = $1`,
    anna.organisation.id,
    most,
  );
  const answers = await Promise.all([1, 2, 3].map((n) => invite({ email: `${n}last@example.com` })));
  expect(statusesOf(answers)).toEqual([201, 422, 422]);
  const before = await everything();
  expect(await invite({ email: 'one.more@example.com' })).toBeRefused(limits.LimitReached, {
    limited: 'openInvitations',
    most,
  });
  const [expired] = await sql<{ id: string }>(
    'select invitation_id as id from invitation where tenant_id = $1 and expires_at = mailed_at',
    anna.organisation.id,
  );
  clock.advance(1 * minutes);
  const resend = async (invitationId = '') =>
    users.call(invitations.resend, { params: { invitationId } }, await as(anna));
  expect(await resend(expired?.id)).toBeRefused(limits.LimitReached);
  expect(await everything()).toEqual(before);
  expect((await resend(invitation.id)).status).toBe(200);
  clock.advance(1 * minutes);
  expect((await invite()).status).toBe(201); // in place of the one that is open
});

describe('an open invitation', () => {
  it('can be sent again with a new link and a new week', async () => {
    const { invitation, token } = await invited();
    clock.advance(8 * days);
    expect(await look(token)).toBeRefused(invitations.InvitationUnusable);
    const params = { invitationId: invitation.id };
    const again = await users.call(invitations.resend, { params }, await as(anna));
    expect(again.body).toMatchObject({ id: invitation.id, state: 'open' });
    expect(await look(token)).toBeRefused(invitations.InvitationUnusable);
    expect((await look(await tokenOf(invitation))).status).toBe(200);
    expect(await users.call(invitations.resend, { params }, await as(anna))).toBeRefused(
      invitations.TooManyInvitations,
    );
  });

  it('can be revoked and then no longer works', async () => {
    const { invitation, token } = await invited();
    const params = { invitationId: invitation.id };
    for (let n = 0; n < 2; n += 1) {
      const answer = await users.call(invitations.revoke, { params }, await as(anna));
      expect(answer.body.state).toBe('revoked');
    }
    expect(await eventsAbout(invitation.id, invitations.revoked.type)).toHaveLength(1);
    expect(await look(token)).toBeRefused(invitations.InvitationUnusable);
    expect(await accept(token)).toBeRefused(invitations.InvitationUnusable);
    clock.advance(1 * minutes);
    const resent = await users.call(invitations.resend, { params }, await as(anna));
    expect(resent).toBeRefused(invitations.InvitationNotOpen, { state: 'revoked' });
  });

  it('stops working when its sender is suspended, until another administrator sends it again', async () => {
    const clara = await people.member(anna, ['admin']);
    const { invitation, token } = await invited({ roles: ['admin'] }, clara);
    await users.call(members.remove, { params: { memberId: clara.user.id } }, await as(anna));
    expect(await look(token)).toBeRefused(invitations.InvitationUnusable);
    expect(await accept(token)).toBeRefused(invitations.InvitationUnusable);
    clock.advance(1 * minutes);
    const params = { invitationId: invitation.id };
    const again = await users.call(invitations.resend, { params }, await as(anna));
    expect(again.body.invitedBy).toBe(anna.user.id);
    expect((await look(await tokenOf(invitation))).body.inviter).toBe(anna.user.name);
  });

  it('cannot be read, sent or revoked by another organisation', async () => {
    const { invitation } = await invited();
    const params = { invitationId: invitation.id };
    const stranger = await as(await people.organisation('Oak'));
    const before = await everything();
    clock.advance(1 * minutes);
    for (const endpoint of [invitations.revoke, invitations.resend]) {
      expect(await users.call(endpoint, { params }, stranger)).toBeRefused(Absent, {
        resource: 'invitation',
      });
    }
    const theirs = await users.call(invitations.list, { query: {} }, stranger);
    expect(theirs.body.items).toEqual([]);
    const clerk = await as(await people.member(anna));
    expect(await users.call(invitations.list, { query: {} }, clerk)).toBeRefused(Forbidden);
    expect((await everything()).invitations).toEqual(before.invitations);
  });

  it('is listed by state, newest first, page by page', async () => {
    for (let n = 0; n < 3; n += 1) await invite({ email: `page${n}-${email}` });
    clock.advance(8 * days);
    await invite();
    const token = await as(anna);
    const list = async (query: Record<string, string>) =>
      (await users.call(invitations.list, { query: query as { state?: 'open' } }, token)).body;
    expect((await list({ state: 'open' })).items.map((each) => each.email)).toEqual([email]);
    const first = await list({ state: 'expired', limit: '2' });
    const second = await list({ state: 'expired', limit: '2', after: first.next ?? '' });
    expect([...first.items, ...second.items].map((each) => each.email)).toEqual(
      [2, 1, 0].map((n) => `page${n}-${email}`),
    );
    expect(second.next).toBeNull();
  });
});

describe('accepting an invitation as a new person', () => {
  it('shows who invites and where, creates an account with a verified e-mail and signs in', async () => {
    const { invitation, token } = await invited({ roles: ['accountant'] });
    expect((await look(token)).body).toEqual({
      organisation: 'Pine',
      inviter: anna.user.name,
      email,
      language: 'en',
      expiresAt: invitation.expiresAt,
      acceptBy: 'new',
    });
    const nina = (await accept(token)).body as identity.SignedIn;
    expect(nina.user).toMatchObject({ email, name: 'Nina', emailVerified: true, timeZone: 'Europe/Moscow' });
    expect(claimsOf(nina)).toMatchObject({ tid: anna.organisation.id, roles: ['accountant'], amr: ['pwd'] });
    expect((await people.signIn(email)).organisation.name).toBe('Pine');
    expect(await eventsAbout(invitation.id, invitations.accepted.type)).toMatchObject([
      { actorid: nina.user.id, data: { userId: nina.user.id } },
    ]);
    expect(await eventsAbout(nina.user.id, members.joined.type)).toHaveLength(1);
    const granted = await sql('select * from role_assignment where person_id = $1', nina.user.id);
    expect(granted).toMatchObject([{ role: 'accountant', granted_by: anna.user.id }]);
  });

  it('joins once, however often and however many requests accept at the same time', async () => {
    const { token } = await invited();
    const answers = await Promise.all([1, 2, 3, 4].map(() => accept(token)));
    expect(statusesOf(answers)).toEqual([201, 404, 404, 404]);
    for (const answer of answers)
      if (answer.status !== 201) expect(answer).toBeRefused(invitations.InvitationUnusable);
    expect(await accept(token)).toBeRefused(invitations.InvitationUnusable);
    expect(await sql('select * from person where email_key = $1', email)).toHaveLength(1);
  });

  it('grants the roles only until the given time', async () => {
    const validUntil = new Date(Math.ceil(clock.now().getTime() / 1_000) * 1_000 + 2 * days).toISOString();
    const { invitation, token } = await invited({ roles: ['user'], validUntil });
    expect(invitation.expiresAt).toEqual(new Date(validUntil)); // never longer than what it gives
    const nina = (await accept(token)).body as identity.SignedIn;
    const granted = await sql<{ valid_until: Date }>(
      'select * from role_assignment where person_id = $1',
      nina.user.id,
    );
    expect(granted.map((row) => row.valid_until.toISOString())).toEqual([validUntil]);
  });

  it.each([
    ['an easy password', { password: 'password1' }, credentials.PasswordTooWeak],
    ['no name', { name: ' ' }, MalformedRequest],
    ['roles of their own choice', { roles: ['admin'] }, MalformedRequest],
  ])('refuses %s, and the invitation still works', async (_, changes, refusal) => {
    const { token } = await invited();
    const before = await everything();
    expect(await accept(token, changes)).toBeRefused(refusal);
    expect(await everything()).toEqual(before);
    expect((await accept(token)).status).toBe(201);
  });

  it.each([
    ['nonsense', () => 'x'],
    ['of another kind of link', (linkId: string) => links.linkToken(linkId, 'verify-email')],
    ['changed in one letter', (linkId: string) => changed(links.linkToken(linkId, 'invitation'))],
    ['of a link that never was', () => links.linkToken(newId(), 'invitation')],
  ])('refuses a token that is %s', async (_, forged) => {
    const genuine = await invited();
    const token = forged(links.readLink(genuine.token, 'invitation') ?? '');
    const before = await everything();
    expect(await look(token)).toBeRefused(invitations.InvitationUnusable);
    expect(await accept(token)).toBeRefused(invitations.InvitationUnusable);
    expect(await everything()).toEqual(before);
  });

  it('is refused after a week, and while the organisation is suspended', async () => {
    const { token } = await invited();
    await users.call(organisations.suspend, {}, await as(anna));
    expect(await accept(token)).toBeRefused(invitations.InvitationUnusable);
    await sql("update organisation set state = 'active' where tenant_id = $1", anna.organisation.id);
    clock.advance(7 * days);
    expect(await look(token)).toBeRefused(invitations.InvitationUnusable);
    expect(await accept(token)).toBeRefused(invitations.InvitationUnusable);
    expect(await sql('select * from person where email_key = $1', email)).toEqual([]);
  });

  it('is refused by an organisation suspended at the same moment', async () => {
    const { token } = await invited();
    const { id } = anna.organisation;
    const admin = await as(anna);
    const lock = { sql: 'select from organisation where tenant_id = $1 for update', values: [id] };
    const [suspended, accepted] = await raceAt(users, id, lock, [
      () => users.call(organisations.suspend, {}, admin),
      () => accept(token),
    ]);
    expect(suspended.status).toBe(200);
    expect(accepted).toBeRefused(invitations.InvitationUnusable);
    expect(await sql('select * from person where email_key = $1', email)).toEqual([]);
  });

  it('is refused with a role that was deleted meanwhile', async () => {
    await people.plantRoles(anna.organisation.id, { temp: ['main.task.*'] });
    const { token } = await invited({ roles: ['temp'] });
    await sql('update own_role set deleted_at = now() where tenant_id = $1', anna.organisation.id);
    expect(await accept(token)).toBeRefused(invitations.InvitationUnusable);
    expect(await sql('select * from person where email_key = $1', email)).toEqual([]);
  });
});

/** Another letter in the middle, where every bit counts. */
function changed(token: string): string {
  return token.slice(0, 30) + (token[30] === 'A' ? 'B' : 'A') + token.slice(31);
}
