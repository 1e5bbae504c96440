import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DeclaredRefusal, Refusal } from '@marimo/problems';
import { contracts, gatewayContract, platformContract } from './all.ts';

const root = join(import.meta.dirname, '../../..');

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

  it('is handed on by the contract it belongs to, from which the documentation is made', async () => {
    const handedOn = new Set(
      [platformContract, gatewayContract, ...Object.values(contracts)].flatMap(({ refusals }) =>
        refusals.map(({ definition }) => definition.code),
      ),
    );
    const forgotten = (await declaredRefusals()).map(({ definition }) => definition.code);
    expect(forgotten.filter((code) => !handedOn.has(code))).toEqual([]);
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

type DeclaredInFolder = DeclaredRefusal & { readonly folder: string };

function factsOf({ facts }: DeclaredRefusal): string[] {
  return 'shape' in facts ? Object.keys(facts.shape as object) : [];
}

async function declaredRefusals(): Promise<DeclaredInFolder[]> {
  const files = globSync('*/**/*.ts', { cwd: import.meta.dirname }).filter(
    (file) => !file.endsWith('.test.ts'),
  );
  const found = new Map<unknown, DeclaredInFolder>();
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
