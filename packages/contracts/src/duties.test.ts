import { conflictingDuties, contracts, permissions } from './all.ts';

describe('the pairs of duties that one person should not hold together', () => {
  it('refer to permissions that their services declare', () => {
    const declared = new Set(permissions);
    const named = conflictingDuties.flatMap(({ id, left, right }) =>
      [...left, ...right].map((permission) => ({ id, permission })),
    );
    expect(named.filter(({ permission }) => !declared.has(permission))).toEqual([]);
  });

  it('are declared by a service whose permission is on one side', () => {
    for (const [service, { duties }] of Object.entries(contracts)) {
      for (const { left, right } of duties) {
        expect([...left, ...right].some(({ name }) => name.startsWith(`${service}.`))).toBe(true);
      }
    }
  });

  it('have a title and a reason in both languages, a source, and an id of their own', () => {
    for (const { id, title, why, source } of conflictingDuties) {
      expect(id).toMatch(/^[a-z]+(-[a-z]+)+$/);
      for (const { en, ru } of [title, why]) {
        expect(en).toMatch(/^[A-Z]/);
        expect(ru).toMatch(/^[А-Я]/);
      }
      expect(source).toMatch(/\S/);
    }
    expect(new Set(conflictingDuties.map(({ id }) => id)).size).toBe(conflictingDuties.length);
    expect(conflictingDuties.length).toBeGreaterThanOrEqual(16);
  });

  it('have two sides: no permission conflicts with itself', () => {
    for (const { left, right } of conflictingDuties) {
      expect(left.filter((permission) => right.includes(permission))).toEqual([]);
      expect(Math.min(left.length, right.length)).toBeGreaterThan(0);
    }
  });
});
