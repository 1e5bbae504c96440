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

  it('gives the link back to who asks for the same purpose, and to nobody else', () => {
    expect(links.readLink(token, 'invitation')).toBe(id);
    expect(links.readLink(token, 'reset-password')).toBeUndefined();
    expect(links.readLink(token, 'verify-email')).toBeUndefined();
  });

  it('is worth nothing when any bit of it is another', () => {
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
  ])('is not one that is %s', (_, made) => {
    expect(links.readLink(made(token), 'invitation')).toBeUndefined();
  });

  it('is worth nothing under another secret', () => {
    const others = createLinkTokens(randomBytes(32), 'https://erp.example.com');
    expect(others.readLink(token, 'invitation')).toBeUndefined();
  });

  it('stands behind the hash sign of the address, which browsers send to no server', () => {
    expect(links.urlOf(id, 'invitation')).toBe(`https://erp.example.com/#/invitation/${token}`);
  });
});

describe('a link', () => {
  it('is good once', async () => {
    const linkId = await issued();
    expect(await used(linkId)).toMatchObject({ purpose: 'reset-password', personId: anna.user.id });
    expect(await used(linkId)).toBeUndefined();
  });

  it('is good for one of those who use it at once', async () => {
    const linkId = await issued();
    const all = await Promise.all(Array.from({ length: 5 }, () => used(linkId)));
    expect(all.filter((one) => one !== undefined)).toHaveLength(1);
  });

  it('is still good when what it was used for failed', async () => {
    const linkId = await issued();
    const failing = without(async (tx) => {
      await useLink(tx, linkId, clock.now());
      throw new Error('the password is too weak');
    });
    await expect(failing).rejects.toThrow('too weak');
    expect(await used(linkId)).toBeDefined();
  });

  it('is dead once a newer one was issued for the same, also when both are issued at once', async () => {
    const subjectId = newId();
    const all = await Promise.all(Array.from({ length: 4 }, () => issued({ subjectId })));
    const outcomes = [];
    for (const linkId of all) outcomes.push(await used(linkId));
    expect(outcomes.filter((one) => one !== undefined)).toHaveLength(1);
  });

  it('leaves the links of others, and those for other purposes, alone', async () => {
    const subjectId = newId();
    const reset = await issued({ subjectId });
    const verify = await issued({ subjectId, purpose: 'verify-email' });
    expect([await used(reset), await used(verify)]).not.toContain(undefined);
  });

  it('is dead once revoked', async () => {
    const subjectId = newId();
    const linkId = await issued({ subjectId });
    await without((tx) => deleteLink(tx, 'reset-password', subjectId));
    expect(await used(linkId)).toBeUndefined();
  });

  it('is dead from its last moment on, and forgotten', async () => {
    const linkId = await issued({ expiresAt: new Date(clock.now().getTime() + 1) });
    expect(await without((tx) => getLink(tx, linkId, clock.now()))).toBeDefined();
    clock.advance(1);
    expect(await used(linkId)).toBeUndefined();
    await forgetOldLinks({ database: users.database.database, clock: clock.now } as never);
    const kept = await users.rows<{ link_id: string }>('mail_link');
    expect(kept.map((row) => row.link_id)).not.toContain(linkId);
  });
});

describe('writing a mail', () => {
  const ask = (linkId: string, options = {}) => users.call(mailLinks.follow, { params: { linkId } }, options);
  const told = async (linkId: string) => (await ask(linkId)).body as mailLinks.MailLink;

  it('begins with asking whom it goes to and where it leads', async () => {
    const body = await told(await issued({ name: 'Anna Petrova', language: 'ru' }));
    expect(body).toEqual({
      purpose: 'reset-password',
      url: expect.stringMatching(/^http:\/\/localhost:8080\/#\/reset-password\/[\w-]{64}$/),
      recipient: { email: 'anna@example.com', name: 'Anna Petrova', language: 'ru' },
      organisation: 'Pine & Co',
    });
  });

  it('leads nowhere when it only tells something', async () => {
    const { purpose: _, subjectId: __, ...notice } = linkOf();
    const body = await told(await without((tx) => insertNotice(tx, notice)));
    expect(body).toMatchObject({ purpose: 'notice', url: null });
  });

  it('has no use once the link was used, and nobody else may ask', async () => {
    const linkId = await issued();
    expect(await ask(linkId, { as: null })).toBeRefused(Unauthenticated);
    expect(await ask(linkId, { as: anna.accessToken })).toBeRefused(Unauthenticated);
    expect(await ask(linkId, { asService: 'accounting' })).toBeRefused(Forbidden);
    await used(linkId);
    expect((await ask(linkId)).status).toBe(204);
    expect((await ask(newId())).status).toBe(204);
  });

  it('is the only way to the secret: what is stored does not hold it', async () => {
    const linkId = await issued();
    const { url } = await told(linkId);
    const proof = Buffer.from(url?.split('/').at(-1) ?? '', 'base64url').subarray(16);
    const stored = JSON.stringify(await users.rows('mail_link'));
    for (const form of ['hex', 'base64', 'base64url'] as const)
      expect(stored).not.toContain(proof.toString(form));
  });
});
