import { invitations } from '@marimo/contracts/users';
import { claimsOf } from '../../../test/claims.ts';
import { invitationsOf } from '../../../test/invitations-under-test.ts';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';

/** Moves on at each look, as a clock does outside of tests. */
let time = Date.parse('2026-03-31T09:00:00.000Z');
const now = () => {
  time += 3;
  return new Date(time);
};
const users = useUsers({ clock: now });
const people = peopleOf(() => users, now);

describe('the token that an accepted invitation returns', () => {
  it.each(['new', 'existing'])('holds the roles of the invitation: %s account', async (kind) => {
    const anna = await people.organisation('Pine');
    const oak = await people.organisation('Oak');
    const { invited, accept } = invitationsOf({
      users: () => users,
      inviter: () => anna,
      email: () => (kind === 'new' ? 'nina@example.com' : oak.user.email),
      as: async ({ accessToken }) => ({ as: accessToken }),
    });
    const { token } = await invited({ roles: ['accountant'] });
    const answer =
      kind === 'new'
        ? await accept(token)
        : await users.call(invitations.acceptSignedIn, { body: { token } }, { as: oak.accessToken });
    expect(answer.status).toBe(201);
    const signedIn = answer.body as typeof anna;
    expect(claimsOf(signedIn).roles).toEqual(['accountant']);
    expect(signedIn.expiresIn).toBe(900);
  });
});
