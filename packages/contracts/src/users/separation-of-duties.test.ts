import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { permissions } from '../all.ts';
import { conflictingDuties, isLive } from './separation-of-duties.ts';

const known = new Set<string>(permissions.map(({ name }) => name));
const page = join(import.meta.dirname, '../../../../docs/domain/separation-of-duties.md');

describe('the pairs of duties that one hand should not hold', () => {
  it('are 16 and more, at least 12 of them of permissions that there are today', () => {
    expect(conflictingDuties.length).toBeGreaterThanOrEqual(16);
    expect(conflictingDuties.filter((pair) => isLive(pair, known)).length).toBeGreaterThanOrEqual(12);
  });

  it('are live only when there is a permission on each side', () => {
    const pair = conflictingDuties.find(({ id }) => id === 'reopen-period-and-post');
    if (pair === undefined) throw new Error('the pair is gone');
    expect(isLive(pair, new Set(pair.left))).toBe(false);
    expect(isLive(pair, new Set(pair.right))).toBe(false);
    expect(isLive(pair, new Set([...pair.left, ...pair.right]))).toBe(true);
  });

  it('have a name, a reason and a source, in both languages, and an id of their own', () => {
    for (const { id, title, why, source } of conflictingDuties) {
      expect(id).toMatch(/^[a-z]+(-[a-z]+)+$/);
      for (const { en, ru } of [title, why]) {
        expect(en).toMatch(/^[A-Z]/);
        expect(ru).toMatch(/^[А-Я]/);
      }
      expect(source).toMatch(/\S/);
    }
    expect(new Set(conflictingDuties.map(({ id }) => id)).size).toBe(conflictingDuties.length);
  });

  it('have two sides: no permission conflicts with itself', () => {
    for (const { left, right } of conflictingDuties) {
      expect(left.filter((name) => right.includes(name))).toEqual([]);
      expect(Math.min(left.length, right.length)).toBeGreaterThan(0);
    }
  });
});

describe('the page of conflicting duties, docs/domain/separation-of-duties.md', () => {
  it('lists each pair exactly as it is declared, live or to come, and nothing else', () => {
    const list = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');
    const declared = conflictingDuties.map((pair) => {
      const when = isLive(pair, known) ? 'now' : 'to come';
      return `| \`${pair.id}\` | ${pair.title.en} | ${list(pair.left)} | ${list(pair.right)} | ${when} | ${pair.source} |`;
    });
    const written = readFileSync(page, 'utf8')
      .split('\n')
      .filter((text) => text.startsWith('| `'));
    // What a failure shows: add the lines of `missing` to the page and take those of `surplus` out.
    expect({
      missing: declared.filter((text) => !written.includes(text)),
      surplus: written.filter((text) => !declared.includes(text)),
      twice: written.filter((text, index) => written.indexOf(text) !== index),
    }).toEqual({ missing: [], surplus: [], twice: [] });
  });
});
