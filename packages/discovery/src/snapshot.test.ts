import { isInstance } from './snapshot.ts';

const users = { id: 'users-1', service: 'users', host: '10.0.0.7', port: 8081, version: '1' };

describe('what can be called', () => {
  it.each(['10.0.0.7', 'users.internal', 'users_1', 'localhost', '::1', 'fe80::1'])(
    'is a host: %s',
    (host) => {
      expect(isInstance({ ...users, host })).toBe(true);
    },
  );

  it.each(['', ' ', 'a b', 'a/b', 'a:80', 'user@a', '[::1]', 'a?b', '.', 'a..b', undefined, 7])(
    'is no host: %p',
    (host) => {
      expect(isInstance({ ...users, host })).toBe(false);
    },
  );

  it.each([0, -1, 65_536, 80.5, '80', undefined])('is no port: %p', (port) => {
    expect(isInstance({ ...users, port })).toBe(false);
  });
});
