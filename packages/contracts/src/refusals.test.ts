import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DeclaredRefusal, Refusal, statusOf } from '@marimo/problems';

const root = join(import.meta.dirname, '../../..');
const page = join(root, 'docs/problems.md');

describe('the page of problems, docs/problems.md', () => {
  it('lists each refusal exactly as it is declared, and nothing else', async () => {
    const declared = [...(await declaredRefusals()).map(line), unknownFailure];
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

describe('each refusal', () => {
  it('has a code of its own that begins with where it is declared', async () => {
    const refusals = await declaredRefusals();
    const codes = refusals.map(({ definition }) => definition.code);
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
    for (const { folder, definition } of refusals) {
      expect(definition.code).toMatch(new RegExp(`^${folder}\\.[a-z][a-z0-9-]*$`));
      expect(definition.title).toMatch(/^[A-Z].*[^.]$/);
    }
  });

  it('names no fact like a member that every problem has, or the fact would be lost', async () => {
    const own = ['type', 'title', 'status', 'code', 'detail', 'requestId'];
    const lost = (await declaredRefusals()).flatMap((each) =>
      factsOf(each)
        .filter((name) => own.includes(name))
        .map((name) => `${each.definition.code}: ${name}`),
    );
    expect(lost).toEqual([]);
  });

  it('is declared in contracts, where everyone can see it', () => {
    const elsewhere = globSync('{packages,services}/*/{src/**/,}*.ts', { cwd: root })
      .filter((file) => !/^packages\/(contracts|problems)\/|\.test\.ts$|node_modules/.test(file))
      .filter((file) => /\bextends\s+refusal\(/.test(readFileSync(join(root, file), 'utf8')));
    expect(elsewhere).toEqual([]);
  });
});

/** Not a refusal: what everything unforeseen becomes. */
const unknownFailure = '| `platform.unknown-failure` | 500 | Something went wrong on our side | |';

type Found = DeclaredRefusal & { readonly folder: string };

function line(found: Found): string {
  const { code, kind, title } = found.definition;
  const names = factsOf(found)
    .map((name) => `\`${name}\``)
    .join(', ');
  return `| \`${code}\` | ${statusOf(kind)} | ${title} |${names && ` ${names}`} |`;
}

function factsOf({ facts }: DeclaredRefusal): string[] {
  return 'shape' in facts ? Object.keys(facts.shape as object) : [];
}

async function declaredRefusals(): Promise<Found[]> {
  const files = globSync('*/**/*.ts', { cwd: import.meta.dirname }).filter(
    (file) => !file.endsWith('.test.ts'),
  );
  const found = new Map<unknown, Found>();
  for (const file of files) {
    const module = (await import(join(import.meta.dirname, file))) as Record<string, unknown>;
    for (const each of Object.values(module)) {
      if (!isRefusalClass(each) || found.has(each)) continue;
      const { definition, facts } = each;
      found.set(each, { definition, facts, folder: file.split(/[\\/]/)[0] ?? '' });
    }
  }
  return [...found.values()];
}

function isRefusalClass(each: unknown): each is DeclaredRefusal {
  return typeof each === 'function' && each.prototype instanceof Refusal;
}
