import { type identity, invitations } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { createLinkTokens } from '../src/identity/mail-links/index.ts';
import { deriveKey } from '../src/identity/signing-keys/index.ts';
import { password } from './organisation-with-people.ts';
import { pineUnderTest } from './pine-under-test.ts';

export const links = createLinkTokens(deriveKey('a secret of the tests', 'marimo/users/mail-link'), '');

export interface Inviting {
  /** Of the test that runs. */
  readonly users: () => ServiceUnderTest;
  readonly inviter: () => identity.SignedIn;
  readonly email: () => string;
  readonly as: (who: identity.SignedIn) => Promise<{ readonly as: string }>;
}

/** Inviting, and accepting by the mail that came of it. */
export function invitationsOf({ users, inviter, email, as }: Inviting) {
  const sql = <Row = Record<string, unknown>>(text: string, ...values: unknown[]) =>
    users().database.sql<Row>(text, values);
  /** Both what is invited and what is mailed. */
  const everything = async () => ({
    invitations: await sql('select * from invitation where tenant_id = $1', inviter().organisation.id),
    links: await sql(
      "select * from mail_link where tenant_id = $1 and purpose = 'invitation'",
      inviter().organisation.id,
    ),
    members: await sql('select * from member where tenant_id = $1', inviter().organisation.id),
    people: (await sql('select person_id from person')).length,
  });
  const invite = async (body: object = {}, who = inviter()) =>
    users().call(invitations.invite, { body: { email: email(), ...body } }, await as(who));
  const eventsAbout = async (subject: string, type: string) =>
    (await users().events()).filter((event) => event.subject === subject && event.type === type);
  /** What the newest mail of an invitation leads to. */
  const tokenOf = async ({ id }: { readonly id: string }) => {
    const mail = (await eventsAbout(id, invitations.invited.type)).at(-1)?.data as { linkId: string };
    return links.linkToken(mail.linkId, 'invitation');
  };
  const invited = async (body: object = {}, who = inviter()) => {
    const invitation = (await invite(body, who)).body;
    return { invitation, token: await tokenOf(invitation) };
  };
  const accept = (token: string, changes: object = {}) =>
    users().call(invitations.accept, {
      body: { token, name: 'Nina', password, language: 'en', timeZone: 'Europe/Moscow', ...changes },
    });
  const look = (token: string) => users().call(invitations.look, { body: { token } });

  return { everything, invite, eventsAbout, tokenOf, invited, accept, look };
}

let count = 0;

/** Anna of Pine invites somebody new in each test. */
export function pineInvites() {
  const pine = pineUnderTest();
  let email: string;
  beforeEach(() => {
    count += 1;
    email = `new${count}@example.com`;
  });
  const inviting = invitationsOf({
    as: pine.as,
    users: () => pine.present().users,
    inviter: () => pine.present().anna,
    email: () => email,
  });
  return {
    ...pine,
    ...inviting,
    present: () => ({ ...pine.present(), email }),
    /** From now on in this test. */
    inviteInstead(other: string): void {
      email = other;
    },
  };
}
