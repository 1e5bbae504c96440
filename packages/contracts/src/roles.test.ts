import { permissions } from './all.ts';
import { builtInGrants, builtInRoles, grantsCover, rolesGrant } from './roles.ts';

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
