import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings, SettingsInvalid } from '@marimo/service-kit';
import { users } from '../service.ts';
import type { UsersSettings } from './settings.ts';

const good = 'Zq8-fJ2_kL0vXw7Rb3Tn9YcUe5HsGa1M';
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'marimo-settings-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const read = (env: Record<string, string>) =>
  readSettings({ MARIMO_HOME: home, ...env }, [users]).own.get('users') as UsersSettings;
const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    read(env);
  } catch (error) {
    if (error instanceof SettingsInvalid) return error.problems;
    throw error;
  }
  return [];
};

describe('the settings of users', () => {
  it("are derived from the portal's address by default", () => {
    expect(read({})).toMatchObject({
      signingKeyDays: 30,
      previousJwtSecret: undefined,
      webauthn: { rpId: 'localhost', origins: ['http://localhost:8080'] },
    });
  });

  it('are all read from the environment', () => {
    expect(
      read({
        PORTAL_URL: 'https://erp.example.com/',
        JWT_SECRET: 'short is fine here',
        JWT_SECRET_PREVIOUS: 'and the one before',
        SIGNING_KEY_DAYS: '7',
        WEBAUTHN_RP_ID: 'example.com',
        WEBAUTHN_ORIGINS: 'https://example.com, https://shop.example.com',
      }),
    ).toEqual({
      jwtSecret: 'short is fine here',
      previousJwtSecret: 'and the one before',
      signingKeyDays: 7,
      webauthn: {
        rpId: 'example.com',
        origins: ['https://erp.example.com', 'https://example.com', 'https://shop.example.com'],
      },
    });
  });

  it('include a secret that is created at the first start, kept, and readable by its owner only', () => {
    const { jwtSecret } = read({});
    expect(jwtSecret.length).toBeGreaterThanOrEqual(64);
    expect(read({}).jwtSecret).toBe(jwtSecret);
    expect(statSync(join(home, 'secrets', 'jwt')).mode & 0o077).toBe(0);
    expect(readdirSync(join(home, 'secrets'))).toEqual(['internal', 'jwt']);
  });

  it.each([
    ['another domain than the portal', { WEBAUTHN_RP_ID: 'example.org' }],
    ['a domain that only ends like it', { WEBAUTHN_RP_ID: 'p.example.com' }],
    ['an origin outside', { WEBAUTHN_ORIGINS: 'https://example.org' }],
    ['an origin with a path', { WEBAUTHN_ORIGINS: 'https://erp.example.com/login' }],
    ['an origin that is none', { WEBAUTHN_ORIGINS: 'erp.example.com' }],
  ])('are refused if passkeys could never work: %s', (_, env) => {
    const problems = problemsOf({ PORTAL_URL: 'https://erp.example.com', ...env });
    expect(problems).toEqual([expect.stringContaining('WEBAUTHN_ORIGINS')]);
  });
});

describe('in production', () => {
  const production = { NODE_ENV: 'production', JWT_SECRET: good, INTERNAL_SECRET: good };

  it('accepts a good JWT_SECRET', () => {
    expect(problemsOf(production)).toEqual([]);
  });

  it.each([
    ['no JWT_SECRET', ''],
    ['a short one', good.slice(1)],
    ['an example', 'your-secret-key-change-in-production-0123456789'],
    ['one letter', 'x'.repeat(64)],
  ])('refuses %s', (_, JWT_SECRET) => {
    expect(problemsOf({ ...production, JWT_SECRET })).toEqual([expect.stringMatching(/^JWT_SECRET: /)]);
  });
});
