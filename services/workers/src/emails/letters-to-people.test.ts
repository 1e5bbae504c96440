import { newId, Unavailable } from '@marimo/contracts';
import {
  type mailLinks,
  organisations,
  people,
  personalData,
  secondFactors,
  sessions,
} from '@marimo/contracts/users';
import { emails, personalRecords } from '@marimo/contracts/workers';
import { tokenFor, useService } from '@marimo/testing';
import { workersService } from '../../service.ts';

const email = 'anna@example.com';
const url = 'https://erp.example.com/#/reset-password/secret';

/** What users answers, by link; absent: away. */
const links = new Map<string, mailLinks.MailLink | null>();
const call = async (_: unknown, { params }: { params: { linkId: string } }) => {
  const body = links.get(params.linkId);
  if (body === undefined) throw new Unavailable({ service: 'users' });
  return { status: body === null ? 204 : 200, body };
};
// Without the sender: what is written down is looked at as it is.
const workers = useService(workersService(['email', 'notification']), {
  client: { call } as never,
  background: false,
});

let tenantId: string;
let userId: string;
beforeEach(() => {
  tenantId = newId();
  userId = newId();
});

function linkTo(changes: Partial<mailLinks.MailLink> = {}): string {
  const linkId = newId();
  const recipient = { email, name: 'Anna', language: 'en' as const };
  links.set(linkId, { purpose: 'reset-password', url, recipient, organisation: 'Pine & Co', ...changes });
  return linkId;
}
const askReset = (linkId: string, id = newId()) =>
  workers.deliver(people.passwordResetAsked, { tenantId, id, data: { userId, linkId } });
const erase = (linkId: string, farewell: boolean) =>
  workers.deliver(personalData.erased, { tenantId, data: { userId, linkId, farewell } });
const mails = async () =>
  (await workers.call(emails.list, { query: {} }, { as: tokenFor({ tenantId }) })).body.items;
const stored = async () => {
  const mine = (rows: { tenant_id?: string }[]) => rows.filter((row) => row.tenant_id === tenantId);
  return JSON.stringify([mine(await workers.rows('email')), mine(await workers.rows('notification'))]);
};
const welcome = () => {
  const person = { id: userId, name: 'Anna', email, emailVerified: false, language: 'en' as const };
  const organisation = { name: 'Pine & Co', baseCurrency: 'EUR', language: 'en' as const, timeZone: 'UTC' };
  return workers.deliver(sessions.organisationRegistered, {
    tenantId,
    data: {
      organisation: { ...organisation, id: tenantId, state: 'active' },
      admin: { ...person, timeZone: 'UTC' },
    },
  });
};

describe('a letter to a person', () => {
  it('is written with the link that users tells for it, once', async () => {
    const id = newId();
    const linkId = linkTo();
    await askReset(linkId, id);
    await askReset(linkId, id);
    expect(await mails()).toMatchObject([{ id, kind: 'reset-password', to: email, state: 'waiting' }]);
    expect(await stored()).toContain(url);
  });

  it('is of the kind that happened', async () => {
    await workers.deliver(people.emailVerificationAsked, { tenantId, data: { userId, linkId: linkTo() } });
    const notice = linkTo({ purpose: 'notice', url: null });
    await workers.deliver(people.passwordChanged, {
      tenantId,
      data: { userId, linkId: notice, by: 'reset' },
    });
    const factor = { userId, factorId: newId(), kind: 'totp' as const, name: 'Telephone', linkId: notice };
    await workers.deliver(secondFactors.removed, { tenantId, data: factor });
    expect((await mails()).map(({ kind }) => kind).sort()).toEqual([
      'password-changed',
      'second-factor',
      'verify-email',
    ]);
  });

  it('tells an administrator the day on which the organisation closes, and that it does not', async () => {
    const notice = linkTo({ purpose: 'notice', url: null });
    const data = { userId, linkId: notice, closesOn: '2026-12-31' };
    await workers.deliver(organisations.closingAnnounced, { tenantId, data });
    await workers.deliver(organisations.reopeningAnnounced, { tenantId, data: { userId, linkId: notice } });
    expect(await mails()).toMatchObject([
      { kind: 'organisation-closing', to: email, subject: 'Your organisation stays open: Pine & Co' },
      { to: email, subject: 'Your organisation closes on 31 December 2026: Pine & Co' },
    ]);
  });

  it('is not written when the link is of no use any more', async () => {
    const linkId = newId();
    links.set(linkId, null);
    await askReset(linkId);
    expect(await mails()).toEqual([]);
  });

  it('waits for users, and is written when it is back', async () => {
    const id = newId();
    const linkId = newId();
    await expect(askReset(linkId, id)).rejects.toThrow(Unavailable);
    expect(await mails()).toEqual([]);
    links.set(linkId, links.get(linkTo()) ?? null);
    await askReset(linkId, id);
    expect(await mails()).toHaveLength(1);
  });
});

describe('somebody who takes their data along', () => {
  const kept = async (organisationId: string) =>
    (
      await workers.call(personalRecords.getKept, {
        params: { personId: userId },
        query: { email },
        organisationId,
      })
    ).body;

  it('gets every mail and notification that a search of all tables finds', async () => {
    await welcome();
    await askReset(linkTo());
    const { emails, notifications } = await kept(tenantId);
    expect(emails.map(({ kind, to }) => [kind, to])).toEqual([
      ['welcome', email],
      ['reset-password', email],
    ]);
    expect(notifications).toMatchObject([{ key: 'welcome', params: { name: 'Anna' } }]);
    expect(JSON.stringify(emails)).not.toContain('secret');
  });
});

describe('somebody whose personal data are erased', () => {
  it('is nowhere any more: neither in mail nor in notifications, sent or not', async () => {
    await welcome();
    await askReset(linkTo());
    await erase(linkTo({ purpose: 'notice', url: null }), false);
    expect(await stored()).not.toMatch(/anna|secret/i);
    expect((await mails()).map(({ to, state }) => [to, state])).toEqual([
      ['', 'given-up'],
      ['', 'given-up'],
    ]);
    const due = await workers.rows<{ tenant_id: string }>('email_due');
    expect(due.filter((row) => row.tenant_id === tenantId)).toEqual([]);
  });

  it('is found by the address as well, under which they were only invited', async () => {
    await workers.database.database.inTenant(tenantId, async (tx) => {
      await tx.run(
        `insert into email (tenant_id, email_id, kind, recipient, recipient_name, subject, text_body, html_body,
                            created_at, next_attempt_at)
         values ($1, $2, 'invitation', 'Anna@Example.com', '', 'Come', 'anna', 'anna', now(), now())`,
        [tenantId, newId()],
      );
    });
    await erase(linkTo({ purpose: 'notice', url: null }), false);
    expect(await stored()).not.toMatch(/anna/i);
  });

  it('gets one last mail, where there should be one', async () => {
    await welcome();
    await erase(linkTo({ purpose: 'notice', url: null }), true);
    const [last, ...others] = await mails();
    expect(last).toMatchObject({ kind: 'erased', to: email, state: 'waiting' });
    expect(others.map(({ to }) => to)).toEqual(['']);
  });

  it('is forgotten by id also when users cannot tell the address any more', async () => {
    await welcome();
    const linkId = newId();
    links.set(linkId, null);
    await erase(linkId, true);
    expect(await stored()).not.toMatch(/anna/i);
  });

  it('does not come back with an event that comes late', async () => {
    await erase(linkTo(), false);
    await welcome();
    expect(await stored()).not.toMatch(/anna/i);
  });

  it('leaves the mail of others alone', async () => {
    const other = newId();
    await workers.deliver(people.passwordResetAsked, {
      tenantId,
      data: {
        userId: other,
        linkId: linkTo({ recipient: { email: 'b@example.com', name: 'B', language: 'en' } }),
      },
    });
    await erase(linkTo(), false);
    expect(await mails()).toMatchObject([{ to: 'b@example.com', state: 'waiting' }]);
  });
});
