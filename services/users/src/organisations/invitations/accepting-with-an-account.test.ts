import { Unauthenticated } from '@marimo/contracts';
import { credentials, type identity, invitations, members, sessions } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { pineInvites } from '../../../test/invitations-under-test.ts';
import { statusesOf } from '../../../test/race.ts';

const pine = pineInvites();
const { clock, people, as, sql, everything, eventsAbout, invited, accept, look } = pine;
const minutes = 60_000;

let users: ServiceUnderTest;
let anna: identity.SignedIn;
beforeEach(() => {
  ({ users, anna } = pine.present());
});

describe('accepting an invitation with an existing account', () => {
  let oak: identity.SignedIn;
  beforeEach(async () => {
    oak = await people.organisation('Oak');
    pine.inviteInstead(oak.user.email);
  });
  const acceptSignedIn = (token: string, who: string) =>
    users.call(invitations.acceptSignedIn, { body: { token } }, { as: who });

  it('joins while signed in and continues in the new organisation in a session of its own', async () => {
    const { token } = await invited({ roles: ['user'] });
    expect((await look(token)).body.acceptBy).toBe('sign-in');
    expect(await accept(token)).toBeRefused(invitations.SignInToAccept);
    const there = (await acceptSignedIn(token, oak.accessToken)).body;
    expect(claimsOf(there)).toMatchObject({ tid: anna.organisation.id, roles: ['user'] });
    const ended = await eventsAbout(claimsOf(oak).sid, sessions.ended.type);
    expect(ended).toMatchObject([{ tenantid: oak.organisation.id, data: { reason: 'switch' } }]);
    expect(await acceptSignedIn(token, there.accessToken)).toBeRefused(invitations.InvitationUnusable);
  });

  it('joins once and keeps one session when two attempts run at the same time', async () => {
    const { token } = await invited();
    const second = await people.signIn(oak.user.email);
    const answers = await Promise.all(
      [oak, second].map(({ accessToken }) => acceptSignedIn(token, accessToken)),
    );
    expect(statusesOf(answers)).toEqual([201, 404]);
    expect(await sql('select * from member where person_id = $1', oak.user.id)).toHaveLength(2);
  });

  it("refuses another person's invitation and requires a sign-in", async () => {
    const { token } = await invited();
    const other = await people.organisation('Elm');
    const before = await everything();
    expect(await acceptSignedIn(token, other.accessToken)).toBeRefused(invitations.InvitationForAnother);
    expect(await users.call(invitations.acceptSignedIn, { body: { token } })).toBeRefused(Unauthenticated);
    expect(await everything()).toEqual(before);
  });

  it('asks for the password of a person without an active membership, who can rejoin an organisation they left', async () => {
    const boris = await people.member(anna, ['accountant']);
    pine.inviteInstead(boris.user.email);
    await users.call(members.remove, { params: { memberId: boris.user.id } }, await as(anna));
    clock.advance(1 * minutes);
    const { token } = await invited({ roles: ['user'] });
    expect((await look(token)).body.acceptBy).toBe('password');
    const before = await everything();
    expect(await accept(token, { password: 'wrong horse battery' })).toBeRefused(
      credentials.WrongCredentials,
    );
    expect(await everything()).toEqual(before);
    const back = (await accept(token)).body as identity.SignedIn;
    expect(back.user).toMatchObject({ id: boris.user.id, name: 'Boris' }); // the name they have, not the one sent
    expect(claimsOf(back).roles).toEqual(['user']);
    const periods = await sql('select * from member_period where person_id = $1', boris.user.id);
    expect(periods).toHaveLength(2);
  });
});
