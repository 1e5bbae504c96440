import { type identity, organisations } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { mailOf } from '../../../test/mail.ts';
import { pineUnderTest } from '../../../test/pine-under-test.ts';

// In Omsk it is the next day already.
const { people, present, as, sql } = pineUnderTest('2026-03-01T20:00:00.000Z');

let users: ServiceUnderTest;
let anna: identity.SignedIn;
let boris: identity.SignedIn;
beforeEach(async () => {
  ({ users, anna } = present());
  boris = await people.member(anna, ['admin']);
  const gone = await people.member(anna, ['admin']);
  await sql("update person set language = 'ru' where person_id = $1", boris.user.id);
  await sql("update member set state = 'suspended' where person_id = $1", gone.user.id);
  const body = { timeZone: 'Asia/Omsk' };
  await users.call(organisations.change, { body }, await as(anna));
});

const close = async (name = 'Pine') => users.call(organisations.close, { body: { name } }, await as(anna));
const told = async (type: string) =>
  (await users.events()).filter((event) => event.type === type && event.tenantid === anna.organisation.id);
const recipients = async (type: string) => {
  const mails = await Promise.all((await told(type)).map((event) => mailOf(users, event)));
  return mails.map(({ recipient }) => `${recipient.email} ${recipient.language}`).sort();
};

describe('announcing that an organisation closes', () => {
  it('notifies every active administrator in their language, with the closing day', async () => {
    await close();
    expect((await told(organisations.closingAnnounced.type)).map(({ data }) => data)).toEqual(
      [anna, boris]
        .map(({ user }) => ({ userId: user.id, linkId: expect.any(String), closesOn: '2026-04-01' }))
        .sort((a, b) => (a.userId < b.userId ? -1 : 1)),
    );
    const expected = [`${anna.user.email} en`, `${boris.user.email} ru`].sort();
    expect(await recipients(organisations.closingAnnounced.type)).toEqual(expected);
    expect((await mailOf(users, (await told(organisations.closingAnnounced.type))[0])).url).toBeNull();
    await close();
    expect(await told(organisations.closingAnnounced.type)).toHaveLength(2);
  });

  it('notifies them when closing is cancelled, and sends nothing when nothing was cancelled', async () => {
    await users.call(organisations.reopen, {}, await as(anna));
    expect(await told(organisations.reopeningAnnounced.type)).toEqual([]);
    await close();
    await users.call(organisations.reopen, {}, await as(anna));
    expect(await recipients(organisations.reopeningAnnounced.type)).toEqual(
      [`${anna.user.email} en`, `${boris.user.email} ru`].sort(),
    );
  });

  it('notifies nobody when closing is refused', async () => {
    await close('Oak');
    expect(await told(organisations.closingAnnounced.type)).toEqual([]);
  });
});
