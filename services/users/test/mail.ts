import type { Envelope } from '@marimo/contracts';
import { mailLinks } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';

/** What the mail worker is told when it asks about the mail of an event. */
export async function mailOf(
  users: ServiceUnderTest,
  event: Envelope | undefined,
): Promise<mailLinks.MailLink> {
  if (event === undefined) throw new Error('There is no such event');
  const { linkId } = event.data as { linkId: string };
  const { body } = await users.call(mailLinks.follow, { params: { linkId } });
  if (body === null) throw new Error('This mail has no use any more');
  return body;
}

/** What stands behind the last slash of the link of that mail. */
export async function tokenOf(users: ServiceUnderTest, event: Envelope | undefined): Promise<string> {
  const { url } = await mailOf(users, event);
  return url?.split('/').at(-1) ?? '';
}
