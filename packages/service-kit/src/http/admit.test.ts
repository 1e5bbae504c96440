import { endpoint } from '@marimo/contracts';
import { until } from '@marimo/testing/outside';
import supertest from 'supertest';
import { z } from 'zod';
import {
  askSecret,
  askTenantSecret,
  httpRoutes,
  maySee,
  takeOrder,
  undeclared,
  whoAmI,
} from '../../test/http-routes.ts';
import { type KitUnderTest, kitUnderTest, tenantId, userId } from '../../test/kit-under-test.ts';

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
      'x-marimo-author': other,
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

describe('what is for services', () => {
  const asked = (path: string, bearer?: string) =>
    client()
      .get(path)
      .set(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` });

  it.each(['workers', 'operator'])(
    'is answered to %s, which stands on its list, and tells who asks',
    async (name) => {
      const answer = await asked(askSecret.path, `service.${name}`);
      expect([answer.status, answer.body]).toEqual([200, { caller: null, service: { name } }]);
    },
  );

  it('is forbidden to a service that does not stand there', async () => {
    const answer = await asked(askSecret.path, 'service.gateway');
    expect(answer.status).toBe(403);
    expect(answer.body).toMatchObject({ code: 'platform.forbidden', permission: null });
  });

  it.each([
    ['nobody', undefined],
    ['an administrator', 'admin'],
    ['who shows something else', 'forged'],
  ])('is closed to %s', async (_, bearer) => {
    expect((await asked(askSecret.path, bearer)).status).toBe(401);
  });

  it('sees the organisation of the token, and none where it names none', async () => {
    const here = await asked(askTenantSecret.path, 'service.workers.here');
    expect(here.body).toEqual({ tenantId, inside: tenantId });
    expect((await asked(askTenantSecret.path, 'service.workers')).status).toBe(401);
  });

  it('believes a service in whose name it acts, where its token says in which organisation', async () => {
    const author = '0192f0c8-0000-7000-8000-00000000FFFF';
    const named = (path: string, bearer: string) => asked(path, bearer).set('x-marimo-author', author);
    const here = await named(askSecret.path, 'service.workers.here');
    expect(here.body.service).toEqual({ name: 'workers', tenantId, authorId: author.toLowerCase() });
    expect((await named(askSecret.path, 'service.workers')).body.service).toEqual({ name: 'workers' });
    expect((await named(askSecret.path, 'admin')).status).toBe(401);
    const odd = await asked(askSecret.path, 'service.workers.here').set('x-marimo-author', 'anna');
    expect([odd.status, odd.body.code]).toEqual([400, 'platform.malformed-request']);
  });

  it('opens nothing else to them', async () => {
    expect((await asked(whoAmI.path, 'service.workers')).status).toBe(401);
    expect((await asked(`/api/v1/test/orders/${tenantId}`, 'service.operator')).status).toBe(401);
  });

  it('leaves in the log which service asked, where it would name a person', async () => {
    kit.lines.length = 0;
    await asked(askTenantSecret.path, 'service.workers.here');
    await asked(whoAmI.path, 'admin');
    const requests = () => kit.lines.filter(({ message }) => message === 'request');
    await until(() => requests().length === 2);
    expect(requests()).toMatchObject([
      { 'service.name': 'test', 'service.origin.name': 'workers', 'tenant.id': tenantId },
      { 'user.id': userId, 'tenant.id': tenantId },
    ]);
    expect(requests()[0]).not.toHaveProperty(['user.id']);
    expect(requests()[1]).not.toHaveProperty(['service.origin.name']);
  });
});
