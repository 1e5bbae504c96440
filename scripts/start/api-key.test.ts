import { setTimeout as sleep } from 'node:timers/promises';
import { registerOrganisation } from './api-client.ts';
import { freshMachine, type RunningPlatform, startPlatformProcess } from './platform-under-test.ts';

jest.setTimeout(120_000);

let machine: Awaited<ReturnType<typeof freshMachine>>;
let platform: RunningPlatform;
beforeAll(async () => {
  machine = await freshMachine();
  platform = await startPlatformProcess(machine);
});
afterAll(async () => {
  await platform?.kill();
  machine?.remove();
});

const keys = '/api/v1/users/me/keys';
const keyId = '01920000-0000-7000-8000-0000000000aa';
const accounts = '/api/v1/accounting/accounts';

it('a program with an API key reads the chart of accounts through the gateway, and no more, until the key is revoked', async () => {
  const anna = await registerOrganisation(platform.origin, 'Pine and Co', 'EUR');
  await anna.post(`${accounts}/from-template`, { template: 'generic' });
  const scopes = ['accounting.account.read'];
  const made = await anna.post(keys, { keyId, name: 'Reports', scopes });
  expect(made.status).toBe(201);
  const { key } = made.body;
  const ask = async (path: string, headers: Record<string, string>) =>
    (await fetch(platform.origin + path, { headers })).status;

  expect(await ask(accounts, { authorization: `Bearer ${key}` })).toBe(200);
  expect(await ask(accounts, { 'x-api-key': key })).toBe(200);
  expect(await ask('/api/v1/accounting/journals', { 'x-api-key': key })).toBe(403);
  expect(await ask('/api/v1/users/service-accounts', { 'x-api-key': key })).toBe(403);
  // A service behind the gateway knows tokens only.
  const direct = `http://127.0.0.1:${machine.ports['ACCOUNTING_PORT']}${accounts}`;
  expect((await fetch(direct, { headers: { authorization: `Bearer ${key}` } })).status).toBe(401);

  expect((await anna.post(`${keys}/${keyId}/revoke`, undefined)).status).toBe(200);
  const giveUpAt = Date.now() + 30_000; // far beyond the 5 s promised, far below the 15 minutes of the token it stands for
  let status = 200;
  while (status !== 401 && Date.now() < giveUpAt) {
    await sleep(100);
    status = await ask(accounts, { 'x-api-key': key });
  }
  expect(status).toBe(401);
});
