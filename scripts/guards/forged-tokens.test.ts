import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AnyEndpoint, isForServices, newId, type ServiceName } from '@marimo/contracts';
import { endpointsByService as contracts } from '@marimo/contracts/all';
import { personalRecords } from '@marimo/contracts/workers';
import { serviceSecretOf } from '@marimo/service-kit';
import { forgedServiceTokens, forgedTokens, makeSigner } from '@marimo/testing';
import { registerOrganisation } from '../start/api-client.ts';
import { startWholePlatform, type WholePlatform } from './whole-platform.ts';

jest.setTimeout(180_000);

/** One route of each service that says something to everyone who is signed in. */
const routes: ReadonlyMap<ServiceName, string> = new Map([
  ['users', '/api/v1/users/me'],
  ['accounting', '/api/v1/accounting/accounts'],
  ['workers', '/api/v1/workers/notifications'],
]);

const password = 'Quite-Long-And-Odd-7';
let whole: WholePlatform;
let holder: { userId: string; tenantId: string };
let refreshToken: string;

beforeAll(async () => {
  whole = await startWholePlatform();
  const anna = await registerOrganisation(whole.platform.origin, 'Pine', 'EUR');
  const { body } = await anna.get('/api/v1/users/me');
  holder = { userId: body.user.id, tenantId: body.organisation.id };
  const signedIn = await post('/api/v1/users/login', { email: 'anna@pine.example', password });
  refreshToken = ((await signedIn.json()) as { refreshToken: string }).refreshToken;
});
afterAll(() => whole?.stop());

function post(path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(whole.platform.origin + path, {
    method: 'POST',
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** What each service answers itself, and what it answers through the gateway. */
async function askEverywhere(headers: Record<string, string>): Promise<Record<string, number>> {
  const doors = [...routes].flatMap(([service, path]) => [
    [service, whole.addressOf(service) + path] as const,
    [`${service} through the gateway`, whole.platform.origin + path] as const,
  ]);
  const answers = doors.map(async ([door, url]) => {
    const answer = await fetch(url, { headers });
    await answer.arrayBuffer();
    return [door, answer.status] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const everywhere = (status: number) =>
  Object.fromEntries(
    [...routes.keys()].flatMap((service) => [
      [service, status],
      [`${service} through the gateway`, status],
    ]),
  );

it('a token of this signer opens every door, or nothing below would mean anything', async () => {
  const good = whole.signer.sign({ sub: holder.userId, tid: holder.tenantId });
  expect(await askEverywhere(bearer(good))).toEqual(everywhere(200));
});

describe('every service refuses, with and without the gateway,', () => {
  // The signer that is believed exists only once the platform runs; the names are the same for any.
  const names = forgedTokens(makeSigner()).map(({ what }) => what);

  it('at least 24 forgeries', () => {
    expect(names.length).toBeGreaterThanOrEqual(24);
  });

  it.each(names)('a token with %s', async (name) => {
    const forged = forgedTokens(whole.signer, holder).find(({ what }) => what === name);
    expect(await askEverywhere(bearer(forged?.forge() ?? ''))).toEqual(everywhere(401));
  });

  it('a refresh token', async () => {
    expect(await askEverywhere(bearer(refreshToken))).toEqual(everywhere(401));
  });

  it('a good token under another scheme, twice, in a cookie or in the query', async () => {
    const good = whole.signer.sign({ sub: holder.userId, tid: holder.tenantId });
    for (const headers of [
      { authorization: `Basic ${good}` },
      { authorization: good },
      { authorization: `Bearer ${good}, Bearer ${good}` },
      { cookie: `access_token=${good}; authorization=Bearer ${good}` },
      { 'x-authorization': `Bearer ${good}`, 'proxy-authorization': `Bearer ${good}` },
    ] as Record<string, string>[]) {
      expect(await askEverywhere(headers)).toEqual(everywhere(401));
    }
  });

  it('who only says who they are', async () => {
    const spoofed = {
      'x-user-id': holder.userId,
      'x-tenant-id': holder.tenantId,
      'x-marimo-tenant': holder.tenantId,
      'x-roles': 'admin',
      x_user_id: holder.userId,
      'x-forwarded-user': holder.userId,
      'x-forwarded-for': '127.0.0.1',
    };
    expect(await askEverywhere(spoofed)).toEqual(everywhere(401));
  });

  it('to be told another tenant by a header: the token alone decides', async () => {
    const other = await registerOrganisation(whole.platform.origin, 'Oak', 'EUR');
    const good = whole.signer.sign({ sub: holder.userId, tid: holder.tenantId });
    for (const origin of [whole.platform.origin, whole.addressOf('users')]) {
      const answer = await fetch(`${origin}/api/v1/users/organisation`, {
        headers: {
          ...bearer(good),
          'x-tenant-id': other.organisationId,
          'x-marimo-tenant': other.organisationId,
          'tenant-id': other.organisationId,
        },
      });
      expect(await answer.json()).toMatchObject({ id: holder.tenantId, name: 'Pine' });
    }
  });
});

describe('what is for services', () => {
  const doors = Object.entries(contracts).flatMap(([name, endpoints]) =>
    endpoints.flatMap((endpoint) => {
      const service = isForServices(endpoint.access) ? endpoint.access.services[0] : undefined;
      return service === undefined ? [] : [{ at: name as ServiceName, endpoint, service }];
    }),
  );
  const forgeries = (service: (typeof doors)[number]['service']) =>
    forgedServiceTokens(whole.signer, { service, organisationId: holder.tenantId });
  const names = forgedServiceTokens(makeSigner(), { service: 'users' }).map(({ what }) => what);

  /** Nothing it asks is right, so who is let in is told what is wrong with it. */
  async function statusOf(at: ServiceName, { method, path }: AnyEndpoint, token: string): Promise<number> {
    const url = whole.addressOf(at) + path.replaceAll(/\{\w+\}/g, newId());
    const body = method === 'GET' ? {} : { body: '{"guardProbe":1}' };
    const headers = { ...bearer(token), 'content-type': 'application/json' };
    const answer = await fetch(`${url}?guard-probe=1`, { method, headers, ...body });
    await answer.arrayBuffer();
    return answer.status;
  }
  const askAll = async (tokenFor: (door: (typeof doors)[number]) => string) =>
    Object.fromEntries(
      await Promise.all(
        doors.map(async (door) => {
          const status = await statusOf(door.at, door.endpoint, tokenFor(door));
          return [door.endpoint.path, status] as const;
        }),
      ),
    );
  const all = (status: number) => Object.fromEntries(doors.map(({ endpoint }) => [endpoint.path, status]));

  it('is opened by a good token of this signer, or nothing below would mean anything', async () => {
    expect(doors.length).toBeGreaterThanOrEqual(4);
    expect(names.length).toBeGreaterThanOrEqual(40);
    expect(await askAll(({ service }) => whole.signer.signService({ sub: service }))).toEqual(all(400));
  });

  it.each(names)('refuses a token with %s', async (name) => {
    const forged = await askAll(
      ({ service }) =>
        forgeries(service)
          .find(({ what }) => what === name)
          ?.forge() ?? '',
    );
    expect(forged).toEqual(all(401));
  });

  it('asks for the token of another service than comes, and takes no secret for a token', async () => {
    const others = await askAll(({ service }) =>
      whole.signer.signService({ sub: service === 'workers' ? 'users' : 'workers' }),
    );
    expect(others).toEqual({ ...all(403) });
    const secret = readFileSync(join(whole.platform.home, 'secrets/internal'), 'utf8');
    expect(await askAll(() => secret)).toEqual(all(401));
    expect(await askAll(({ service }) => serviceSecretOf(secret, service))).toEqual(all(401));
  });

  it('tells nothing of an organisation to a token that names none', async () => {
    const url =
      whole.addressOf('workers') + personalRecords.getKept.path.replace('{personId}', holder.userId);
    const ask = (tid?: string) =>
      fetch(url, { headers: bearer(whole.signer.signService({ sub: 'users', tid })) });
    expect((await ask()).status).toBe(401);
    expect(await (await ask(holder.tenantId)).json()).toMatchObject({ notifications: [{}] });
    expect(await (await ask(newId())).json()).toEqual({ emails: [], notifications: [] });
  });
});

describe('by command', () => {
  it('an operator reads the secret of one service, and of nobody else', async () => {
    const internal = readFileSync(join(whole.platform.home, 'secrets/internal'), 'utf8');
    const { code, output } = await whole.command('service-secret', 'workers');
    expect([code, output.trim().split('\n').at(-1)]).toEqual([0, serviceSecretOf(internal, 'workers')]);
    for (const wrong of [[], ['mallory'], ['workers', 'users']]) {
      expect((await whole.command('service-secret', ...wrong)).code).toBe(64);
    }
  });

  it('every signing key is withdrawn, and services soon have tokens of the new one without being asked', async () => {
    const takeAlong = async () => {
      const signedIn = await post('/api/v1/users/login', { email: 'anna@pine.example', password });
      const { accessToken } = (await signedIn.json()) as { accessToken: string };
      // users asks the workers for itself.
      const answer = await post('/api/v1/users/me/export', undefined, bearer(accessToken));
      return { status: answer.status, kept: ((await answer.json()) as { kept?: unknown }).kept };
    };
    const before = await takeAlong();
    expect(before).toMatchObject({ status: 200, kept: [{ organisationId: holder.tenantId }] });
    const rotated = await whole.command('rotate-keys', '--compromised');
    expect(rotated).toMatchObject({ code: 0, output: expect.stringContaining('signs from') });
    const giveUpAt = Date.now() + 15_000;
    let after = await takeAlong();
    while (after.status !== 200 && Date.now() < giveUpAt) after = await takeAlong();
    expect(after).toEqual(before);
  });
});
