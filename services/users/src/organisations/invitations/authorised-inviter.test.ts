import { MalformedRequest, newId } from '@marimo/contracts';
import { type identity, invitations, roleAssignments, roles } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { pineInvites } from '../../../test/invitations-under-test.ts';

const pine = pineInvites();
const { clock, people, as, sql, everything, invited, invite, accept, look, tokenOf } = pine;

let users: ServiceUnderTest;
let anna: identity.SignedIn;
let vera: identity.SignedIn;
beforeEach(async () => {
  ({ users, anna } = pine.present());
  vera = await people.member(anna, ['admin']);
});

/** Takes all roles from a member and gives them others. */
async function nowHas(who: identity.SignedIn, ...roles: string[]): Promise<void> {
  const query = { memberId: who.user.id };
  const { items } = (await users.call(roleAssignments.list, { query }, await as(anna))).body;
  for (const { assignmentId, state } of items) {
    if (state !== 'in-force') continue;
    await users.call(roleAssignments.revoke, { params: { assignmentId }, body: {} }, await as(anna));
  }
  for (const role of roles) {
    const body = { assignmentId: newId(), memberId: who.user.id, role };
    expect((await users.call(roleAssignments.assign, { body }, await as(anna))).status).toBe(201);
  }
}

describe('an invitation whose sender has lost rights', () => {
  it('grants no role that the sender could not grant today', async () => {
    const { invitation, token } = await invited({ roles: ['admin'] }, vera);
    await nowHas(vera, 'user');
    expect(await look(token)).toBeRefused(invitations.InvitationUnusable);
    const before = await everything();
    expect(await accept(token)).toBeRefused(invitations.InvitationUnusable);
    expect(await everything()).toEqual(before);

    // Who may sends it again and answers for it.
    clock.advance(60_000);
    await users.call(invitations.resend, { params: { invitationId: invitation.id } }, await as(anna));
    expect((await accept(await tokenOf(invitation))).status).toBe(201);
  });

  it('cannot be accepted if the sender may no longer invite, even without roles', async () => {
    const { token } = await invited({}, vera);
    await nowHas(vera, 'accountant');
    expect(await accept(token)).toBeRefused(invitations.InvitationUnusable);
  });

  it('still grants the roles the sender may grant', async () => {
    const { token } = await invited({ roles: ['user'] }, vera);
    await nowHas(vera, 'user', 'admin');
    expect((await accept(token)).status).toBe(201);
  });
});

describe('roles that together exceed the size of a token', () => {
  const grants = (count: number) =>
    sql(
      `update own_role_grants set grants = array(select 'workers.' || name || n || '.read' from generate_series(1, $2) n)
        where tenant_id = $1`,
      anna.organisation.id,
      count,
    );
  beforeEach(async () => {
    await people.plantRoles(anna.organisation.id, { one: [], two: [] });
  });

  it('cannot be promised in an invitation', async () => {
    await grants(150);
    const before = await everything();
    expect(await invite({ roles: ['one', 'two'] })).toBeRefused(roles.TooManyRights);
    expect(await everything()).toEqual(before);
  });

  it('cannot be granted by accepting an invitation', async () => {
    await grants(50);
    const { token } = await invited({ roles: ['one', 'two'] });
    await grants(150);
    const before = await everything();
    expect(await accept(token)).toBeRefused(invitations.InvitationUnusable);
    expect(await everything()).toEqual(before);
  });
});

it('limits the validity of promised roles to whole seconds, as tokens are', async () => {
  const aDay = new Date(clock.now().getTime() + 24 * 60 * 60_000).toISOString();
  const validUntil = aDay.replace(/\.\d+Z$/, '.500Z');
  expect(await invite({ roles: ['user'], validUntil })).toBeRefused(MalformedRequest);
  expect((await invite({ roles: ['user'], validUntil: aDay.replace(/\.\d+Z$/, 'Z') })).status).toBe(201);
});
