import { Absent, newId } from '@marimo/contracts';
import { sessions } from '@marimo/contracts/users';
import { notifications } from '@marimo/contracts/workers';
import { tokenFor, useService } from '@marimo/testing';
import { workersService } from '../../service.ts';

const workers = useService(workersService(['notification']));

let tenantId: string;
let userId: string;
beforeEach(() => {
  tenantId = newId();
  userId = newId();
});
const anna = () => ({ as: tokenFor({ tenantId, userId }) });
const boris = () => ({ as: tokenFor({ tenantId, userId: newId() }) });
const register = (id = newId()) => {
  const language = 'en' as const;
  const timeZone = 'UTC';
  const state = 'active' as const;
  const admin = {
    id: userId,
    name: 'Anna',
    email: 'anna@example.com',
    emailVerified: false,
    language,
    timeZone,
  };
  const organisation = { id: tenantId, name: 'Pine & Co', baseCurrency: 'EUR', language, timeZone, state };
  return workers.deliver(sessions.organisationRegistered, { tenantId, data: { organisation, admin }, id });
};
const list = async (query: object = {}, who = anna()) =>
  (await workers.call(notifications.list, { query }, who)).body;

describe('notifications', () => {
  it('welcome the first administrator, once', async () => {
    const id = newId();
    await register(id);
    await register(id);
    expect((await list()).items).toEqual([
      {
        id,
        key: 'welcome',
        params: { name: 'Anna', organisation: 'Pine & Co' },
        createdAt: expect.any(Date),
        readAt: null,
      },
    ]);
  });

  it('are read one by one, and stay as they were when read again', async () => {
    const id = newId();
    await register(id);
    await register();
    const first = await workers.call(notifications.markRead, { params: { id } }, anna());
    const again = await workers.call(notifications.markRead, { params: { id } }, anna());
    expect(first.body.readAt).not.toBeNull();
    expect(again.body).toEqual(first.body);
    expect((await list({ unread: 'true' })).items).toHaveLength(1);
    expect((await list()).items).toHaveLength(2);
  });

  it('are read all at once', async () => {
    for (let n = 0; n < 3; n += 1) await register();
    expect((await workers.call(notifications.markAllRead, {}, anna())).body).toEqual({ read: 3 });
    expect((await workers.call(notifications.markAllRead, {}, anna())).body).toEqual({ read: 0 });
    expect((await list({ unread: 'true' })).items).toEqual([]);
  });

  it('come page by page, newest first', async () => {
    for (let n = 0; n < 5; n += 1) await register();
    const first = await list({ limit: 3 });
    const second = await list({ limit: 3, after: first.next ?? '' });
    expect([first.items.length, second.items.length, second.next]).toEqual([3, 2, null]);
    const seen = [...first.items, ...second.items].map(({ id }) => id);
    expect(new Set(seen).size).toBe(5);
  });

  it('belong to one person: nobody else sees or reads them', async () => {
    const id = newId();
    await register(id);
    expect((await list({}, boris())).items).toEqual([]);
    expect(await workers.call(notifications.markRead, { params: { id } }, boris())).toBeRefused(Absent);
    expect((await workers.call(notifications.markAllRead, {}, boris())).body).toEqual({ read: 0 });
    const elsewhere = { as: tokenFor({ tenantId: newId(), userId }) };
    expect(await workers.call(notifications.markRead, { params: { id } }, elsewhere)).toBeRefused(Absent);
    expect((await list({ unread: 'true' })).items).toHaveLength(1);
  });

  it('answer a repeated request with the same key as they did the first time', async () => {
    await register();
    const keyed = () => workers.call(notifications.markAllRead, { idempotencyKey: 'one' }, anna());
    expect([(await keyed()).body, (await keyed()).body]).toEqual([{ read: 1 }, { read: 1 }]);
  });
});
