import { randomBytes } from 'node:crypto';
import { Forbidden, newId, Unauthenticated } from '@marimo/contracts';
import { type identity, mailLinks } from '@marimo/contracts/users';
import { testClock } from '@marimo/testing';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';
import {
  createLinkTokens,
  deleteLink,
  forgetOldLinks,
  getLink,
  insertLink,
  insertNotice,
  type NewLink,
  useLink,
} from './index.ts';

const clock = testClock(new Date().toISOString());
const hour = 3_600_000;

const users = useUsers({ clock: clock.now });
let anna: identity.SignedIn;
beforeAll(async () => {
  anna = await peopleOf(() => users, clock.now).organisation('Pine & Co');
});

const without = <T>(work: Parameters<typeof users.database.database.withoutTenant<T>>[0]) =>
  users.database.database.withoutTenant(work);
const linkOf = (changes: Partial<NewLink> = {}): NewLink => ({
  purpose: 'reset-password',
  subjectId: newId(),
  tenantId: anna.organisation.id,
  personId: anna.user.id,
  email: 'anna@example.com',
  name: 'Anna',
  language: 'en',
  expiresAt: new Date(clock.now().getTime() + hour),
  now: clock.now(),
  ...changes,
});
const issued = (changes: Partial<NewLink> = {}) => without((tx) => insertLink(tx, linkOf(changes)));
const used = (linkId: string) => without((tx) => useLink(tx, linkId, clock.now()));

describe('the token of a link', () => {
  const links = createLinkTokens(randomBytes(32), 'https://erp.example.com');
  const id = newId();
  const token = links.linkToken(id, 'invitation');

  it('is accepted for its own purpose only', () => {
    expect(links.readLink(token, 'invitation')).toBe(id);
    expect(links.readLink(token, 'reset-password')).toBeUndefined();
    expect(links.readLink(token, 'verify-email')).toBeUndefined();
  });

  it('is refused when any bit differs', () => {
    const bytes = Buffer.from(token, 'base64url');
    for (let place = 0; place < bytes.length; place += 1) {
      const tampered = Buffer.from(bytes);
      tampered.writeUInt8(tampered.readUInt8(place) ^ 1, place);
      expect(links.readLink(tampered.toString('base64url'), 'invitation')).toBeUndefined();
    }
  });

  it.each<[string, (good: string) => string]>([
    ['nothing', () => ''],
    ['too short', (good) => good.slice(1)],
    ['too long', (good) => `${good}A`],
    ['as long, and made up', () => 'A'.repeat(64)],
    ['good but for a space', (good) => ` ${good}`],
    ['good but for padding', (good) => `${good}==`],
    ['of other signs', () => '💥'.repeat(32)],
  ])('refuses one that is %s', (_, made) => {
    expect(links.readLink(made(token), 'invitation')).toBeUndefined();
  });

  it('is refused under another secret', () => {
    const others = createLinkTokens(randomBytes(32), 'https://erp.example.com');
    expect(others.readLink(token, 'invitation')).toBeUndefined();
  });

  it('is in the fragment of the address, which browsers do not send to servers', () => {
    expect(links.urlOf(id, 'invitation')).toBe(`https://erp.example.com/#/invitation/${token}`);
  });
});

describe('a link', () => {
  it('works once', async () => {
    const linkId = await issued();
    expect(await used(linkId)).toMatchObject({ purpose: 'reset-password', personId: anna.user.id });
    expect(await used(linkId)).toBeUndefined();
  });

  it('works for one of several concurrent uses', async () => {
    const linkId = await issued();
    const all = await Promise.all(Array.from({ length: 5 }, () => used(linkId)));
    expect(all.filter((one) => one !== undefined)).toHaveLength(1);
  });

  it('still works when the action it was used for failed', async () => {
    const linkId = await issued();
    const failing = without(async (tx) => {
      await useLink(tx, linkId, clock.now());
      throw new Error('the password is too weak');
    });
    await expect(failing).rejects.toThrow('too weak');
    expect(await used(linkId)).toBeDefined();
  });

  it('stops working once a newer one was issued for the same purpose, also when both are issued at once', async () => {
    const subjectId = newId();
    const all = await Promise.all(Array.from({ length: 4 }, () => issued({ subjectId })));
    const outcomes = [];
    for (const linkId of all) outcomes.push(await used(linkId));
    expect(outcomes.filter((one) => one !== undefined)).toHaveLength(1);
  });

  it('does not affect links of other people and of other purposes', async () => {
    const subjectId = newId();
    const reset = await issued({ subjectId });
    const verify = await issued({ subjectId, purpose: 'verify-email' });
    expect([await used(reset), await used(verify)]).not.toContain(undefined);
  });

  it('stops working once revoked', async () => {
    const subjectId = newId();
    const linkId = await issued({ subjectId });
    await without((tx) => deleteLink(tx, 'reset-password', subjectId));
    expect(await used(linkId)).toBeUndefined();
  });

  it('stops working when it expires, and is deleted', async () => {
    const linkId = await issued({ expiresAt: new Date(clock.now().getTime() + 1) });
    expect(await without((tx) => getLink(tx, linkId, clock.now()))).toBeDefined();
    clock.advance(1);
    expect(await used(linkId)).toBeUndefined();
    await forgetOldLinks({ database: users.database.database, clock: clock.now } as never);
    const kept = await users.rows<{ link_id: string }>('mail_link');
    expect(kept.map((row) => row.link_id)).not.toContain(linkId);
  });
});

describe('writing an e-mail with a link', () => {
  const ask = (linkId: string, options = {}) => users.call(mailLinks.follow, { params: { linkId } }, options);
  const told = async (linkId: string) => (await ask(linkId)).body as mailLinks.MailLink;

  it('asks for the recipient and the address of the link', async () => {
    const body = await told(await issued({ name: 'Anna Petrova', language: 'ru' }));
    expect(body).toEqual({
      purpose: 'reset-password',
      url: expect.stringMatching(/^http:\/\/localhost:8080\/#\/reset-password\/[\w-]{64}$/),
      recipient: { email: 'anna@example.com', name: 'Anna Petrova', language: 'ru' },
      organisation: 'Pine & Co',
    });
  });

  it('has no link in a notice', async () => {
    const { purpose: _, subjectId: __, ...notice } = linkOf();
    const body = await told(await without((tx) => insertNotice(tx, notice)));
    expect(body).toMatchObject({ purpose: 'notice', url: null });
  });

  it('is not needed once the link was used, and only the mail worker may ask', async () => {
    const linkId = await issued();
    expect(await ask(linkId, { as: null })).toBeRefused(Unauthenticated);
    expect(await ask(linkId, { as: anna.accessToken })).toBeRefused(Unauthenticated);
    expect(await ask(linkId, { asService: 'accounting' })).toBeRefused(Forbidden);
    await used(linkId);
    expect((await ask(linkId)).status).toBe(204);
    expect((await ask(newId())).status).toBe(204);
  });

  it('is the only way to the secret, which is not stored', async () => {
    const linkId = await issued();
    const { url } = await told(linkId);
    const proof = Buffer.from(url?.split('/').at(-1) ?? '', 'base64url').subarray(16);
    const stored = JSON.stringify(await users.rows('mail_link'));
    for (const form of ['hex', 'base64', 'base64url'] as const)
      expect(stored).not.toContain(proof.toString(form));
  });
});
