import { newId } from '@marimo/contracts';
import { sessions } from '@marimo/contracts/users';
import { emails } from '@marimo/contracts/workers';
import { testTenantId, testUserId, tokenFor, useService } from '@marimo/testing';
import { workersService } from '../../service.ts';

const workers = useService(workersService(['email']));

let tenantId: string;
beforeEach(() => {
  tenantId = newId();
});
const register = (given: { readonly language?: 'ru' | 'en'; readonly id?: string } = {}) => {
  const { language = 'en', ...rest } = given;
  const admin = {
    id: testUserId,
    name: 'Anna',
    email: 'anna@example.com',
    emailVerified: false,
    timeZone: 'UTC',
    language,
  };
  const organisation = {
    id: tenantId,
    name: 'Pine & Co',
    baseCurrency: 'EUR',
    timeZone: 'UTC',
    state: 'active' as const,
    language,
  };
  return workers.deliver(sessions.organisationRegistered, {
    tenantId,
    data: { organisation, admin },
    ...rest,
  });
};
const mails = async (query: Record<string, string> = {}) =>
  (await workers.call(emails.list, { query: query as { state?: 'sent' } }, { as: tokenFor({ tenantId }) }))
    .body;

async function until<T>(read: () => Promise<T>, isThere: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const value = await read();
    if (isThere(value) || tries === 200) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('the mail of an organisation', () => {
  it('begins with one welcome, also when the news comes twice, and is sent by itself', async () => {
    const id = newId();
    await register({ id });
    await register({ id });
    const { items } = await until(mails, (page) => page.items[0]?.state === 'sent');
    expect(items).toMatchObject([
      {
        id,
        kind: 'welcome',
        to: 'anna@example.com',
        subject: 'Welcome to Marimo: Pine & Co',
        state: 'sent',
        attempts: 1,
      },
    ]);
  });

  it('speaks the language of who reads it', async () => {
    await register({ language: 'ru' });
    expect((await mails()).items).toMatchObject([{ subject: 'Добро пожаловать в Marimo: Pine & Co' }]);
  });

  it('is listed page by page, newest first, and by what became of it', async () => {
    for (let n = 0; n < 3; n += 1) await register();
    const first = await mails({ limit: '2' });
    const second = await mails({ limit: '2', after: first.next ?? '' });
    expect([first.items.length, second.items.length, second.next]).toEqual([2, 1, null]);
    const listed = [...first.items, ...second.items].map(({ createdAt }) => createdAt.getTime());
    expect(listed).toEqual(listed.toSorted((a, b) => b - a));
    expect((await mails({ state: 'given-up' })).items).toEqual([]);
  });

  it('is shown to nobody else', async () => {
    await register();
    const other = await workers.call(
      emails.list,
      { query: {} },
      { as: tokenFor({ tenantId: testTenantId }) },
    );
    expect(other.body.items).toEqual([]);
    const accountant = tokenFor({ tenantId, roles: ['accountant'] });
    expect((await workers.call(emails.list, { query: {} }, { as: accountant })).status).toBe(403);
  });
});
