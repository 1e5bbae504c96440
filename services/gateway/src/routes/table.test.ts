import { type AnyEndpoint, endpoint } from '@marimo/contracts';
import { endpointsByService as contracts } from '@marimo/contracts/all';
import { founding, invitations, people, secondFactors, sessions } from '@marimo/contracts/users';
import { z } from 'zod';
import { routingOf } from '../../test/routing-under-test.ts';

const at = (method: AnyEndpoint['method'], path: string): AnyEndpoint =>
  endpoint({ method, path, summary: '', access: 'signed-in', replies: { 200: z.null() } });
const ofShop = (...endpoints: AnyEndpoint[]) => routingOf({ shop: endpoints });

describe('the route table', () => {
  it('prefers a literal segment to a parameter, and falls back to the parameter', () => {
    const table = ofShop(
      at('GET', '/api/v1/shop/items/{id}'),
      at('GET', '/api/v1/shop/items/latest'),
      at('GET', '/api/v1/shop/items/{id}/prices'),
    );
    const template = (path: string) => table.match('shop', 'GET', path)?.template;
    expect(template('/api/v1/shop/items/latest')).toBe('/api/v1/shop/items/latest');
    expect(template('/api/v1/shop/items/7')).toBe('/api/v1/shop/items/{id}');
    expect(template('/api/v1/shop/items/latest/prices')).toBe('/api/v1/shop/items/{id}/prices');
    expect(template('/api/v1/shop/items/7/8')).toBe('unmatched');
    expect(table.match('bank', 'GET', '/api/v1/bank/items/7')).toBeUndefined();
  });

  it('treats HEAD as GET', () => {
    const table = ofShop(at('GET', '/api/v1/shop/items'));
    expect(table.match('shop', 'HEAD', '/api/v1/shop/items')?.template).toBe('/api/v1/shop/items');
  });

  it.each(['/api/v1/users/LOGIN', '/api/v1/users/log%69n', '/api/v1/users/login/'])(
    'gives %s the limits of login, because a service could take it for login',
    (path) => {
      expect(routingOf(contracts).match('users', 'POST', path)).toMatchObject({ limit: 'login' });
    },
  );

  it('has separate limits for routes worth guessing or flooding', () => {
    const table = routingOf(contracts);
    for (const { method, path } of [sessions.login, sessions.register]) {
      expect(table.match('users', method, path)).toMatchObject({
        bearer: false,
        limit: path.split('/').at(-1),
      });
    }
    expect(table.match('users', 'POST', founding.registerWithAccount.path)).toMatchObject({ limit: 'login' });
    expect(table.match('users', 'POST', founding.found.path)).toMatchObject({
      bearer: true,
      limit: 'register',
    });
    for (const { method, path } of [
      secondFactors.finishLogin,
      secondFactors.loginWithPasskey,
      people.finishPasswordReset,
      invitations.accept,
    ]) {
      expect(table.match('users', method, path)).toMatchObject({ bearer: false, limit: 'proof' });
    }
  });

  it('has every endpoint of every contract, without internal ones', () => {
    const table = routingOf(contracts);
    for (const [service, endpoints] of Object.entries(contracts)) {
      for (const { method, path } of endpoints) {
        const expected = path.startsWith('/internal/') ? undefined : path;
        expect(table.match(service, method, path.replaceAll(/\{\w+\}/g, 'x'))?.template).toBe(expected);
      }
    }
  });

  it('refuses two endpoints for one request', () => {
    const twins = [at('GET', '/api/v1/shop/items/{id}'), at('GET', '/api/v1/shop/items/{itemId}')];
    expect(() => ofShop(...twins)).toThrow('two routes answer GET /api/v1/shop/items/{itemId}');
  });

  it('refuses an endpoint outside its service', () => {
    expect(() => ofShop(at('GET', '/api/v1/users/me'))).toThrow('GET /api/v1/users/me is not a path of shop');
  });
});
