import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from './run.ts';

interface Rule {
  readonly says: string;
  readonly applies: (path: string) => boolean;
  readonly broken: (text: string, path: string) => boolean;
}

const isTest = (path: string) => path.endsWith('.test.ts');
const vagueName = /^(utils?|common|helpers?|manager|misc|shared)$/;

const rules: readonly Rule[] = [
  {
    says: 'a file has at most 400 lines',
    applies: () => true,
    broken: (text) => text.split('\n').length > 401,
  },
  {
    says: 'floats touch no amount: parseFloat and toFixed only in packages/measures, tests and benchmarks',
    applies: (path) =>
      /^(packages|services)\//.test(path) && !path.startsWith('packages/measures/') && !isTest(path),
    broken: (text) => /\bparseFloat\(|\.toFixed\(/.test(text),
  },
  {
    says: 'a name tells what is inside: no utils, common, helpers, manager',
    applies: () => true,
    broken: (_, path) => path.split('/').some((part) => vagueName.test(basename(part, '.ts'))),
  },
  {
    says: 'services log through Log, never the console',
    applies: (path) =>
      /^(packages|services)\//.test(path) && !isTest(path) && !path.startsWith('packages/testing/'),
    broken: (text) => /\bconsole\.(log|info|warn|error)\(/.test(text),
  },
  {
    says: 'a store opens no transaction; it is given one',
    applies: (path) => /[/-]store\.ts$/.test(path),
    broken: (text) => /\.(inTenant|withoutTenant)\(/.test(text),
  },
  {
    says: 'no test is skipped or run alone by hand',
    applies: isTest,
    broken: (text) => /\b(it|test|describe)\.(only|skip|todo)\(|\bx(it|describe)\(/.test(text),
  },
];

/** House rules that no other tool holds; each complaint names the file and the rule. */
export function houseRules(): string[] {
  const paths = globSync('{packages,services,scripts,bench}/**/*.{ts,tsx}', {
    cwd: root,
    exclude: ['**/node_modules/**'],
  });
  if (paths.length < 50) return [`only ${paths.length} files were seen: the rules were not applied`];
  return paths.flatMap((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return rules
      .filter((rule) => rule.applies(path) && rule.broken(text, path))
      .map((rule) => `${path}: ${rule.says}`);
  });
}
