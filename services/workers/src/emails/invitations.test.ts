import { newId } from '@marimo/contracts';
import { invitations, type mailLinks } from '@marimo/contracts/users';
import { emails } from '@marimo/contracts/workers';
import { tokenFor, useService } from '@marimo/testing';
import { workersService } from '../../service.ts';

const url = 'https://erp.example.com/#/invitation/secret';

/** What users answers, by link. */
const links = new Map<string, mailLinks.MailLink | null>();
const call = async (_: unknown, { params }: { params: { linkId: string } }) => {
  const body = links.get(params.linkId) ?? null;
  return { status: body === null ? 204 : 200, body };
};
// Without the sender: what is written down is looked at as it is.
const workers = useService(workersService(['email']), { client: { call } as never, background: false });

const tenantId = newId();
const invite = (linkId: string, id = newId()) =>
  workers.deliver(invitations.invited, {
    tenantId,
    id,
    data: { invitationId: newId(), linkId, roles: [], validUntil: null, expiresAt: new Date() },
  });
const mails = async () =>
  (await workers.call(emails.list, { query: {} }, { as: tokenFor({ tenantId }) })).body.items;

describe('the mail of an invitation', () => {
  it('goes to the invited address in its language, once, with the link of the moment', async () => {
    const linkId = newId();
    const recipient = { email: 'nina@example.com', name: 'nina@example.com', language: 'ru' as const };
    links.set(linkId, { purpose: 'invitation', url, recipient, organisation: 'Pine' });
    const id = newId();
    await invite(linkId, id);
    await invite(linkId, id);
    expect(await mails()).toMatchObject([
      { id, kind: 'invitation', to: 'nina@example.com', subject: 'Приглашение в Marimo: Pine' },
    ]);
    const kept = await workers.rows<{ text_body: string; person_id: string | null }>('email');
    expect(kept).toMatchObject([{ text_body: expect.stringContaining(url), person_id: null }]);
  });

  it('is not written for an invitation that is taken back or used by then', async () => {
    const before = await mails();
    await invite(newId());
    expect(await mails()).toEqual(before);
  });
});
