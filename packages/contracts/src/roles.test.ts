import { permissions } from './all.ts';
import { builtInRoles } from './built-in-roles.ts';
import { builtInGrants, grantsCover, rolesGrant } from './roles.ts';
import { AccessTokenClaims } from './users/access-token.ts';
import { rightsLimits } from './users/roles.ts';

describe('what a built-in role may do', () => {
  it.each([
    [['admin'], 'users.member.invite', true],
    [['accountant'], 'accounting.journal-entry.post', true],
    [['accountant'], 'users.member.invite', false],
    [['accountant'], 'main.partner.create', false],
    [['manager'], 'users.role.read', true],
    [['manager'], 'users.role.assign', false],
    [['manager'], 'workers.audit.read', false],
    [['accountant'], 'accountingx.journal-entry.post', false],
    [['user', 'accountant'], 'accounting.account.create', true],
    [['invented'], 'accounting.account.create', false],
    [['constructor', '__proto__'], 'accounting.account.create', false],
    [[], 'accounting.account.create', false],
  ])('%j and %s: %s', (roles, permission, granted) => {
    expect(rolesGrant(roles, permission)).toBe(granted);
  });
});

describe('what built-in roles leave to the administrator', () => {
  it('is everything that makes people, programs and rights, and the reading of the audit', () => {
    const others = Object.keys(builtInRoles).filter((role) => role !== 'admin');
    const granted = permissions.map(({ name }) => name).filter((name) => rolesGrant(others, name));
    const ofUsers = granted.filter((name) => name.startsWith('users.'));
    expect(ofUsers.sort()).toEqual(['users.access-report.read', 'users.member.read', 'users.role.read']);
    expect(granted).not.toContain('workers.audit.read');
  });
});

describe('whether somebody holds what a role would grant', () => {
  it.each([
    [['*'], 'accounting.*', true],
    [['accounting.*'], 'accounting.*', true],
    [['accounting.*'], 'accounting.account.*', true],
    [['accounting.account.*'], 'accounting.*', false],
    [['accounting.account.read', 'accounting.account.create'], 'accounting.account.*', false],
    [['accounting.account.read'], 'accounting.account.read', true],
    [[...builtInGrants('manager')], '*', false],
    [[...builtInGrants('nobody')], 'accounting.account.read', false],
  ])('%j and %s: %s', (held, grant, holds) => {
    expect(grantsCover(held, grant)).toBe(holds);
  });
});

describe('the largest access token there can be', () => {
  it('fits into the 16 KiB that a request may have of headers, with 2 KiB to spare', () => {
    const longest = Math.max(...permissions.map(({ name }) => name.length));
    const id = '01920000-0000-7000-8000-00000000000a';
    const claims: AccessTokenClaims = {
      iss: 'marimo',
      aud: 'marimo',
      sub: id,
      tid: id,
      sid: id,
      rv: 1_000_000,
      roles: Array.from({ length: rightsLimits.roles }, () => 'r'.repeat(40)),
      grants: Array.from({ length: rightsLimits.grants }, () => 'g'.repeat(longest)),
      auth_time: 1_800_000_000,
      amr: ['pwd', 'otp', 'mfa'],
      iat: 1_800_000_000.123,
      exp: 1_800_000_900,
    };
    const signed = 600; // header and RS256 signature in base64url, with room
    const bytes = Math.ceil((JSON.stringify(AccessTokenClaims.parse(claims)).length * 4) / 3) + signed;
    expect(bytes).toBeLessThan(14 * 1_024);
  });
});
