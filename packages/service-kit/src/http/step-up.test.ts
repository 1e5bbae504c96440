import { type AnyEndpoint, endpoint } from '@marimo/contracts';
import { accessTokens } from '@marimo/contracts/users';
import supertest from 'supertest';
import { z } from 'zod';
import { maySee } from '../../test/http-routes.ts';
import { type KitUnderTest, kitUnderTest, rolesAsToken } from '../../test/kit-under-test.ts';
import { handle, reply, type TokenVerifier } from '../index.ts';

const now = new Date('2026-03-31T09:00:00.000Z');

/** A token is how many seconds ago its holder proved who they are; `program` never did. */
const ageAsToken: TokenVerifier = {
  ...rolesAsToken,
  async verify(bearer) {
    const [age = '', role = 'admin'] = bearer.split('-');
    const caller = await rolesAsToken.verify(role);
    const authenticatedAt = age === 'program' ? undefined : new Date(now.getTime() - Number(age) * 1_000);
    return { ...caller, authenticatedAt };
  },
};

const done: string[] = [];
const dangerous = endpoint({
  method: 'DELETE',
  path: '/api/v1/test/everything',
  summary: 'Deletes everything.',
  access: maySee,
  stepUp: true,
  replies: { 204: z.null() },
});
const harmless = endpoint({
  method: 'GET',
  path: '/api/v1/test/everything',
  summary: 'Shows everything.',
  access: 'signed-in',
  replies: { 200: z.any() },
});

let kit: KitUnderTest;
beforeAll(async () => {
  const routes = [
    handle(dangerous, async ({ caller }) => {
      done.push(caller?.userId ?? '');
      return reply(204, null);
    }),
    handle(harmless, async () => reply(200, {})),
  ];
  kit = await kitUnderTest(routes, { verifier: ageAsToken, clock: () => now });
});
afterAll(() => kit.stop());
beforeEach(() => {
  done.length = 0;
});

const send = (token: string, method: 'delete' | 'get' = 'delete') =>
  supertest(kit.url)[method](dangerous.path).set('authorization', `Bearer ${token}`);

describe('a dangerous route', () => {
  it.each([0, 1, accessTokens.stepUpWithinSeconds])(
    'is open to a proof of identity %i seconds old',
    async (age) => {
      expect((await send(String(age))).status).toBe(204);
      expect(done).toHaveLength(1);
    },
  );

  it.each([
    ['of eleven minutes ago', String(accessTokens.stepUpWithinSeconds + 1)],
    ['of a year ago', '31536000'],
    ['that a program cannot give', 'program'],
  ])('is closed to a proof %s, and says how to open it', async (_, token) => {
    const answer = await send(token);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer error="insufficient_user_authentication", max_age="600"',
    );
    expect(answer.body).toMatchObject({ code: 'platform.step-up-required', maxAgeSeconds: 600 });
    expect(done).toEqual([]);
  });

  it('says first who may not call it at all', async () => {
    expect((await send('31536000-user')).status).toBe(403);
  });

  it('leaves the routes beside it as they are', async () => {
    expect((await send('31536000', 'get')).status).toBe(200);
    expect((await send('program', 'get')).status).toBe(200);
  });
});

it('cannot be public: who is not signed in cannot step up, so the service does not start', async () => {
  const wrong = { ...dangerous, access: 'public' } as AnyEndpoint;
  const starting = kitUnderTest([handle(wrong, async () => reply(204, null) as never)]);
  await expect(starting).rejects.toThrow(
    'DELETE /api/v1/test/everything: who is not signed in cannot step up',
  );
});
