import { rolesGrant } from './roles.ts';

describe('what a built-in role may do', () => {
  it.each([
    [['admin'], 'users.member.invite', true],
    [['accountant'], 'accounting.journal-entry.post', true],
    [['accountant'], 'users.member.invite', false],
    [['accountant'], 'accountingx.journal-entry.post', false],
    [['user', 'accountant'], 'accounting.account.create', true],
    [['invented'], 'accounting.account.create', false],
    [['constructor', '__proto__'], 'accounting.account.create', false],
    [[], 'accounting.account.create', false],
  ])('%j and %s: %s', (roles, permission, granted) => {
    expect(rolesGrant(roles, permission)).toBe(granted);
  });
});
