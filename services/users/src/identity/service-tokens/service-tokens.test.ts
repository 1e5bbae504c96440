import { ActingService, newId, type ServiceName } from '@marimo/contracts';
import { accessTokens, serviceTokens, sessions } from '@marimo/contracts/users';
import { serviceSecretOf } from '@marimo/service-kit';
import { testClock, testInternalSecret } from '@marimo/testing';
import jwt from 'jsonwebtoken';
import { useUsers } from '../../../test/use-users.ts';
import { provedService } from './service-tokens.ts';

const clock = testClock(new Date().toISOString());
const users = useUsers({ clock: clock.now });

const secretOf = (service: string) => serviceSecretOf(testInternalSecret, service);
const ask = (service: string, secret: string, more: object = {}) =>
  users.call(serviceTokens.issue, { body: { service, secret, ...more } });
const claimsOf = (token: string) => jwt.decode(token, { complete: true });

describe('a service with its secret', () => {
  it.each(ActingService.options)('gets a token of its own for five minutes: %s', async (service) => {
    const answer = await ask(service, secretOf(service));
    expect(answer.body).toEqual({
      accessToken: expect.any(String),
      expiresIn: serviceTokens.serviceToken.lifetimeSeconds,
      tokenType: 'Bearer',
    });
    const { header, payload } = claimsOf(answer.body.accessToken) ?? {};
    expect(header).toMatchObject({ alg: 'RS256', typ: 'service+jwt', kid: expect.any(String) });
    const iat = Math.floor(clock.now().getTime() / 1_000);
    expect(payload).toEqual({
      iss: 'marimo',
      aud: serviceTokens.serviceToken.audience,
      sub: service,
      iat,
      exp: iat + 5 * 60,
    });
    expect(serviceTokens.ServiceTokenClaims.safeParse(payload).success).toBe(true);
  });

  it('gets a token for the organisation it names, and only for that', async () => {
    const organisationId = newId();
    const { body } = await ask('users', secretOf('users'), { organisationId });
    expect(claimsOf(body.accessToken)?.payload).toMatchObject({ sub: 'users', tid: organisationId });
  });

  it('gets another token when it asks again', async () => {
    expect((await ask('workers', secretOf('workers'))).status).toBe(200);
    expect((await ask('workers', secretOf('workers'))).status).toBe(200);
  });

  it('is counted, and its token is not stored for repeated requests', async () => {
    const answer = await ask('workers', secretOf('workers'));
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { text } = await users.http.get('/metrics');
    expect(text).toMatch(/tokens_issued_total\{[^}]*type="service"[^}]*\} [1-9]/);
  });
});

describe('a service without its secret', () => {
  it.each<[string, string, string]>([
    ['a wrong secret', 'workers', 'x'.repeat(43)],
    ['one that is cut', 'workers', secretOf('workers').slice(0, -1)],
    ['one that is longer', 'workers', `${secretOf('workers')}x`],
    ['another service’s secret', 'workers', secretOf('gateway')],
    ['the operator’s secret', 'users', secretOf('operator')],
    ['the secret all come from', 'workers', testInternalSecret],
    ['no service, though what such a one would have', 'mallory', secretOf('mallory')],
    ['a name from the prototype', '__proto__', secretOf('__proto__')],
    ['a name in capitals', 'WORKERS', secretOf('WORKERS')],
  ])('is refused, always with the same reply: %s', async (_, service, secret) => {
    const answer = await ask(service, secret);
    expect(answer).toBeRefused(serviceTokens.ServiceRefused);
    const { requestId: _id, ...said } = answer.problem ?? {};
    const { requestId: _other, ...usual } = (await ask('workers', 'wrong')).problem ?? {};
    expect(said).toEqual(usual);
  });

  it.each([
    ['nothing', {}],
    ['an empty secret', { service: 'workers', secret: '' }],
    ['a secret that is no text', { service: 'workers', secret: { $ne: '' } }],
    ['an organisation that is none', { service: 'workers', secret: 'x', organisationId: '*' }],
    ['a role', { service: 'workers', secret: 'x', roles: ['admin'] }],
  ])('is told what is malformed: %s', async (_, body) => {
    const answer = await users.http.post(serviceTokens.issue.path).send(body);
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('platform.malformed-request');
  });

  it('cannot tell a known service name from an unknown one, except from the list of allowed names', () => {
    const internal = 'a secret';
    expect(provedService(internal, 'workers', serviceSecretOf(internal, 'workers'))).toBe('workers');
    expect(provedService(internal, 'mallory', serviceSecretOf(internal, 'mallory'))).toBeUndefined();
    expect(provedService(internal, 'workers', serviceSecretOf(internal, 'mallory'))).toBeUndefined();
  });
});

describe('the token of a service', () => {
  const tokenOf = async (service: string) => (await ask(service, secretOf(service))).body.accessToken;
  const rotate = (as: string) => users.call(accessTokens.rotateSigningKeys, { body: {} }, { as });

  it('is accepted by users itself where the service is listed, until it expires', async () => {
    const token = await tokenOf('operator');
    expect((await rotate(token)).status).toBe(200);
    clock.advance(serviceTokens.serviceToken.lifetimeSeconds * 1_000 + 1_000);
    expect((await rotate(token)).problem?.status).toBe(401);
    expect((await rotate(await tokenOf('operator'))).status).toBe(200);
  });

  it.each<ServiceName>(['users', 'workers', 'gateway'])(
    'is not accepted as a person’s: %s',
    async (service) => {
      const as = await tokenOf(service);
      expect((await users.call(sessions.me, {}, { as })).problem?.code).toBe('platform.unauthenticated');
      expect((await rotate(as)).problem?.status).toBe(403);
    },
  );
});
