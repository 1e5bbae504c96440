import { endpoint } from '@marimo/contracts';
import supertest from 'supertest';
import { z } from 'zod';
import { forServices, httpRoutes, maySee, takeOrder, undeclared } from '../../test/http-routes.ts';
import {
  internalSecret,
  type KitUnderTest,
  kitUnderTest,
  tenantId,
  userId,
} from '../../test/kit-under-test.ts';

let kit: KitUnderTest;
beforeAll(async () => {
  kit = await kitUnderTest(httpRoutes, { headersTimeoutMs: 300, requestTimeoutMs: 600 });
});
afterAll(() => kit.stop());

const client = () => supertest(kit.url);

describe('who may call', () => {
  it('asks for a token where one is needed, and says how to get one', async () => {
    const answer = await client().get('/api/v1/test/me');
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(answer.body).toMatchObject({ code: 'platform.unauthenticated', status: 401 });
  });

  it.each(['Basic YWRtaW46YWRtaW4=', 'Bearer', 'Bearer ', 'Bearer a b', 'admin', 'Bearer forged'])(
    'refuses the authorization %j',
    async (authorization) => {
      expect((await client().get('/api/v1/test/me').set('authorization', authorization)).status).toBe(401);
    },
  );

  it('lets in only who holds the permission, and names it to who does not', async () => {
    const path = `/api/v1/test/orders/${tenantId}`;
    expect((await client().get(path).set('authorization', 'Bearer accountant')).status).toBe(200);
    const refused = await client().get(path).set('authorization', 'Bearer user');
    expect(refused.status).toBe(403);
    expect(refused.body.permission).toBe(maySee.name);
  });

  it('closes a route without declared access to everyone, the administrator too', async () => {
    const answer = await client().get(undeclared.path).set('authorization', 'Bearer admin');
    expect(answer.status).toBe(403);
    expect(answer.body.permission).toBeNull();
  });

  it('does not compile a route that declares no access', () => {
    // @ts-expect-error access is missing
    endpoint({ method: 'GET', path: '/api/v1/test/x', summary: '', replies: { 200: z.null() } });
  });

  it('believes no header about who is calling', async () => {
    const other = '0192f0c8-0000-7000-8000-00000000ffff';
    const answer = await client().get('/api/v1/test/me').set({
      authorization: 'Bearer user',
      'x-user-id': other,
      'x-tenant-id': other,
      'x-roles': 'admin',
      'x-forwarded-user': other,
      x_user_id: other,
    });
    expect(answer.body).toEqual({ user: userId, tenant: tenantId });
    const anonymous = await client().get('/api/v1/test/me').set({ 'x-user-id': other, 'x-tenant-id': other });
    expect(anonymous.status).toBe(401);
  });

  it('refuses the stranger before reading what he sends', async () => {
    const answer = await client().post(takeOrder.path).set('content-type', 'application/json').send('{');
    expect(answer.status).toBe(401);
  });
});

describe('what only services may ask', () => {
  const asked = (headers: Record<string, string>) => client().get(forServices.path).set(headers);

  it('is answered to who knows their secret, as to nobody in particular', async () => {
    const answer = await asked({ 'x-marimo-internal': internalSecret });
    expect([answer.status, answer.body]).toEqual([200, { caller: null }]);
  });

  it.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['an empty secret', { 'x-marimo-internal': '' }],
    ['another secret', { 'x-marimo-internal': internalSecret.slice(1) }],
    ['an administrator', { authorization: 'Bearer admin' }],
    ['the secret as a token', { authorization: `Bearer ${internalSecret.replaceAll(' ', '-')}` }],
  ])('is refused to %s', async (_, headers) => {
    expect((await asked(headers)).status).toBe(401);
  });

  it('is refused to everyone where there is no secret', async () => {
    const open = await kitUnderTest(httpRoutes, { internalSecret: '' });
    try {
      const answer = await supertest(open.url).get(forServices.path).set('x-marimo-internal', '');
      expect(answer.status).toBe(401);
    } finally {
      await open.stop();
    }
  });

  it('opens nothing else', async () => {
    const headers = { 'x-marimo-internal': internalSecret };
    expect((await client().get('/api/v1/test/me').set(headers)).status).toBe(401);
  });
});
