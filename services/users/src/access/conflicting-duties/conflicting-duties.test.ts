import { builtInGrants, builtInRoles, grantsCover } from '@marimo/contracts';
import { conflictingDuties, permissions } from '@marimo/contracts/all';
import fc from 'fast-check';
import { conflictsBy, type HeldRole, momentsOfChange, pairsHeld, rolesAt } from './conflicting-duties.ts';

const builtIn = (role: string): HeldRole => ({ role, builtIn: true, grants: builtInGrants(role) });
const own = (role: string, ...grants: string[]): HeldRole => ({ role, builtIn: false, grants });
const day = (number: number) => new Date(Date.UTC(2026, 0, number));
const refusedPairs = (roles: readonly HeldRole[], strict: boolean) =>
  pairsHeld(roles, strict)
    .filter(({ tolerated }) => !tolerated)
    .map(({ pair }) => pair.id);

const clerk = own('clerk', 'accounting.journal-entry.post');
const corrector = own('corrector', 'accounting.journal-entry.reverse');
const auditor = own('auditor', 'workers.audit.*');

describe('conflicting duties', () => {
  it.each<[string, HeldRole[], boolean, string[]]>([
    ['one side alone', [clerk], false, []],
    ['both sides through two roles', [clerk, corrector], false, ['post-and-reverse']],
    ['both sides within one built-in role', [builtIn('accountant')], false, []],
    [
      'the same, and one of them again through a role of one’s own',
      [builtIn('accountant'), clerk],
      false,
      [],
    ],
    [
      'one side through a built-in role and the other through one’s own',
      [builtIn('accountant'), auditor],
      false,
      ['verify-audit-and-post'],
    ],
    [
      'a built-in role where separation is strict',
      [builtIn('accountant')],
      true,
      ['maintain-chart-and-post', 'open-journals-and-post', 'post-and-reverse'],
    ],
    ['an administrator, even where separation is strict', [builtIn('admin'), clerk, auditor], true, []],
    [
      'a role named like a built-in one that is not',
      [own('accountant', 'accounting.*')],
      false,
      ['maintain-chart-and-post', 'open-journals-and-post', 'post-and-reverse'],
    ],
    [
      'permissions that no service has yet',
      [own('buyer', 'main.*'), own('payer', 'accounting.payment.approve')],
      true,
      [],
    ],
    ['no role', [], true, []],
  ])('%s', (_, roles, strict, refused) => {
    expect(refusedPairs(roles, strict).sort()).toEqual(refused);
  });

  it('are listed with the permissions and the roles they come through', () => {
    const [held] = pairsHeld([builtIn('accountant'), clerk, corrector], true).filter(
      ({ pair }) => pair.id === 'post-and-reverse',
    );
    expect(held).toMatchObject({
      left: ['accounting.journal-entry.post'],
      leftThrough: ['accountant', 'clerk'],
      right: ['accounting.journal-entry.reverse'],
      rightThrough: ['accountant', 'corrector'],
      within: ['accountant'],
      tolerated: false,
    });
  });

  it('are refused only to the change that creates them; earlier ones appear in the report', () => {
    const roles = [clerk, corrector, own('reader', 'accounting.report.read')];
    const by = (role: HeldRole) => conflictsBy({ roles: [role.role], grants: role.grants }, roles, false);
    expect(by(corrector)).toHaveLength(1);
    expect(by(own('reader', 'accounting.report.read'))).toEqual([]);
  });
});

describe('the moments at which conflicts are checked', () => {
  const span = (role: string, from: number, until: number | null) => ({
    ...own(role, 'accounting.report.read'),
    from: day(from),
    until: until === null ? null : day(until),
  });

  it('are the beginning and every change of roles until the end', () => {
    const spans = [span('a', 1, 5), span('b', 3, 9), span('c', 7, null)];
    expect(momentsOfChange(spans, day(2), day(8))).toEqual([2, 3, 5, 7].map(day));
    expect(momentsOfChange(spans, day(2), null)).toEqual([2, 3, 5, 7, 9].map(day));
    expect(momentsOfChange(spans, day(4), day(4))).toEqual([]);
  });

  it('include the beginning of a role and exclude its end', () => {
    const spans = [span('a', 1, 5)];
    expect([0, 1, 4, 5].map((each) => rolesAt(spans, day(each)).length)).toEqual([0, 1, 1, 0]);
  });
});

describe('the rule and a simple model of it', () => {
  const names = permissions.map(({ name }) => name);
  const prefixes = names.flatMap((name) => {
    const [service, resource] = name.split('.');
    return [`${service}.*`, `${service}.${resource}.*`];
  });
  const grant = fc.constantFrom(...names, ...new Set(prefixes));
  const ownRole = fc
    .tuple(fc.constantFrom('clerk', 'cashier', 'buyer'), fc.array(grant, { minLength: 1, maxLength: 6 }))
    .map(([role, grants]) => own(role, ...grants));
  const anyRole = fc.oneof(fc.constantFrom(...Object.keys(builtInRoles)).map(builtIn), ownRole);

  /** As an auditor would do it by hand: lists of plain permissions, pair by pair. */
  const model = (roles: readonly HeldRole[], strict: boolean): string[] => {
    const namesOf = (side: readonly { name: string }[]) => side.map(({ name }) => name);
    const of = (role: HeldRole) => names.filter((name) => grantsCover(role.grants, name));
    const holdsBoth = (held: readonly string[], left: readonly string[], right: readonly string[]) =>
      held.some((name) => left.includes(name)) && held.some((name) => right.includes(name));
    return conflictingDuties
      .map(({ id, left, right }) => ({ id, left: namesOf(left), right: namesOf(right) }))
      .filter(({ left, right }) => holdsBoth(roles.flatMap(of), left, right))
      .filter(({ left, right }) => {
        const within = roles.filter((role) => role.builtIn && holdsBoth(of(role), left, right));
        const excused = strict ? within.filter(({ role }) => role === 'admin') : within;
        return excused.length === 0;
      })
      .map(({ id }) => id);
  };

  it('agree on 1,000 random sets of roles', () => {
    fc.assert(
      fc.property(fc.array(anyRole, { maxLength: 5 }), fc.boolean(), (roles, strict) => {
        // Of one name there is one role, as in the database.
        const held = [...new Map(roles.map((role) => [role.role, role])).values()];
        expect(refusedPairs(held, strict)).toEqual(model(held, strict));
      }),
      { numRuns: 1_000 },
    );
  });
});
