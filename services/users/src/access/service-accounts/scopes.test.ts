import { builtInGrants, grantsCover } from '@marimo/contracts';
import { permissions } from '@marimo/contracts/all';
import { apiKeys } from '@marimo/contracts/users';
import fc from 'fast-check';
import { grantsOf, narrowed } from './scopes.ts';
import { newSecret, readKey } from './secret.ts';

const words = ['ledger', 'led', 'stock'];
const Permission = fc
  .tuple(fc.constantFrom(...words), fc.constantFrom(...words), fc.constantFrom('read', 'change'))
  .map((parts) => parts.join('.'));
const Grant = fc.oneof(
  Permission,
  fc.constantFrom(...words).map((service) => `${service}.*`),
  fc.tuple(fc.constantFrom(...words), fc.constantFrom(...words)).map((parts) => `${parts.join('.')}.*`),
  fc.constant('*'),
);
const Grants = fc.array(Grant, { maxLength: 6 });

describe('the rights of a key', () => {
  it('are those of its owner within its scopes', () => {
    fc.assert(
      fc.property(Grants, Grants, Permission, (rights, scopes, permission) => {
        const both = grantsCover(rights, permission) && grantsCover(scopes, permission);
        expect(grantsCover(narrowed(rights, scopes), permission)).toBe(both);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are written in as few grants as possible, in any order of the two', () => {
    fc.assert(
      fc.property(Grants, Grants, (rights, scopes) => {
        const both = narrowed(rights, scopes);
        expect(narrowed(scopes, rights)).toEqual(both);
        for (const one of both) expect(both.filter((other) => grantsCover([other], one))).toEqual([one]);
      }),
    );
  });

  it.each([
    [['accounting.*'], ['accounting.account.read'], ['accounting.account.read']],
    [['accounting.account.read'], ['accounting.*'], ['accounting.account.read']],
    [['accounting.*'], ['*'], ['accounting.*']],
    [['*'], ['accounting.*', 'accounting.account.*'], ['accounting.*']],
    [['accounting.*'], ['users.member.read'], []],
    [['acc.*'], ['accounting.*'], []],
    [[], ['*'], []],
  ])('of an owner with %j and a key with %j are %j', (rights, scopes, both) => {
    expect(narrowed(rights, scopes)).toEqual(both);
  });

  it('come from built-in and own roles; an unknown role gives none', () => {
    const held = { roles: ['agent', 'constructor', 'own_role'], grants: ['users.member.read'] };
    expect(grantsOf(held)).toEqual([...builtInGrants('agent'), 'users.member.read']);
    expect(permissions.some(({ name }) => grantsCover(grantsOf(held), name))).toBe(true);
  });
});

describe('the text of an API key', () => {
  const tenantId = '01920000-0000-7000-8000-00000000000a';

  it('contains its organisation, and is read back as the same key', () => {
    const made = newSecret(tenantId);
    expect(made.text).toMatch(/^mk_[\w-]{72}[0-9a-f]{8}$/);
    expect(made.text.startsWith(made.prefix)).toBe(true);
    expect(readKey(made.text)).toEqual(made);
    expect(newSecret(tenantId).text).not.toBe(made.text);
  });

  it('detects a change of any single character and a truncation', () => {
    const { text } = newSecret(tenantId);
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === 'a' ? 'b' : 'a';
      expect(apiKeys.isApiKey(text.slice(0, at) + other + text.slice(at + 1))).toBe(false);
      expect(apiKeys.isApiKey(text.slice(0, at))).toBe(false);
    }
    expect(apiKeys.isApiKey(`${text} `)).toBe(false);
    expect(apiKeys.isApiKey(text.toUpperCase())).toBe(false);
  });

  it('ends with the standard CRC-32', () => {
    // zlib.crc32('mk_' + 'A' × 72), so that scanners for leaked secrets can check it
    expect(apiKeys.apiKeyOf('A'.repeat(72)).slice(-8)).toBe(crc32Of(`mk_${'A'.repeat(72)}`));
  });
});

function crc32Of(text: string): string {
  const { crc32 } = process.getBuiltinModule('node:zlib');
  return crc32(text).toString(16).padStart(8, '0');
}
