import { isForServices, type ServiceName } from '@marimo/contracts';
import { forgedTokens, makeSigner } from '@marimo/testing';
import { registerOrganisation } from '../../start/api-client.ts';
import { allRoutes } from '../all-routes.ts';
import { sampleQuery } from '../sample.ts';
import { whole } from '../shared-platform.ts';

/** One route of each service that says something to everyone who is signed in, or to an administrator. */
const routes: ReadonlyMap<ServiceName, string> = new Map(
  allRoutes
    .filter(
      ({ endpoint: { method, path, access, stepUp } }) =>
        method === 'GET' &&
        /^\/api\/[^{]+$/.test(path) &&
        access !== 'public' &&
        !isForServices(access) &&
        !stepUp,
    )
    .filter(({ endpoint }) => Object.keys(sampleQuery(endpoint, () => undefined)).length === 0)
    .map(({ service, endpoint }) => [service, endpoint.path] as const),
);

const password = 'Quite-Long-And-Odd-7';
let holder: { userId: string; tenantId: string };
let refreshToken: string;

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

describe('forged tokens', () => {
  beforeAll(async () => {
    const anna = await registerOrganisation(whole.platform.origin, 'Pine', 'EUR');
    const { body } = await anna.get('/api/v1/users/me');
    holder = { userId: body.user.id, tenantId: body.organisation.id };
    const signedIn = await post('/api/v1/users/login', { email: 'anna@pine.example', password });
    refreshToken = ((await signedIn.json()) as { refreshToken: string }).refreshToken;
  });

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
        'x-marimo-author': holder.userId,
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
});
