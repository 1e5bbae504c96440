import { buildRequest, serviceOf } from './request.ts';

const at = (path: string, method: 'GET' | 'POST' = 'GET') => ({ method, path });

describe('the request of a call', () => {
  it('fills the path, the query and the body', () => {
    const endpoint = at('/api/v1/accounting/accounts/{code}/entries/{id}', 'POST');
    const given = {
      params: { code: '51/1 ?#%', id: 'ж' },
      query: { limit: 5, after: 'a&b=c', dryRun: true, none: undefined, day: ['1', '2'] },
      body: { amount: '1.00' },
    };
    expect(buildRequest(endpoint, given)).toEqual({
      method: 'POST',
      path: '/api/v1/accounting/accounts/51%2F1%20%3F%23%25/entries/%D0%B6?limit=5&after=a%26b%3Dc&dryRun=true&day=1&day=2',
      body: '{"amount":"1.00"}',
    });
  });

  it('has no body and no question mark without need', () => {
    expect(buildRequest(at('/api/v1/users/me'), {})).toEqual({
      method: 'GET',
      path: '/api/v1/users/me',
      body: null,
    });
  });

  it.each(['', '.', '..', undefined])('refuses the parameter %j, which would lead elsewhere', (id) => {
    expect(() => buildRequest(at('/api/v1/users/members/{id}'), { params: { id } })).toThrow(
      'path parameter id',
    );
  });
});

describe('the service of a path', () => {
  it.each([
    ['/api/v1/users/me', 'users'],
    ['/api/v2/accounting/accounts/{id}', 'accounting'],
    ['/internal/users/revocations', 'users'],
  ])('%s belongs to %s', (path, service) => {
    expect(serviceOf({ path })).toBe(service);
  });

  it.each(['/internal/revocations', '/api/v1/nobody/x', '/api/v1/toString/x', '/health', 'http://users/x'])(
    '%s belongs to none',
    (path) => {
      expect(() => serviceOf({ path })).toThrow('names no service');
    },
  );
});
