import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.ts';

/** A word of the glossary that has one meaning, and the names that would give it another one. */
interface Word {
  readonly names: RegExp;
  readonly files: readonly string[];
  readonly exclude: readonly string[];
  readonly instead: string;
}

const words: readonly Word[] = [
  {
    names: /^orders?$/i,
    files: ['packages/*/src/**/*.ts', 'services/*/src/**/*.ts'],
    exclude: ['**/*.test.ts'],
    instead: 'an order is salesOrder, purchaseOrder or productionOrder; a sequence is not called order',
  },
  {
    names: /^accounts?$/i,
    files: ['services/*/src/**/*.ts', 'packages/contracts/src/**/*.ts'],
    exclude: [
      '**/*.test.ts',
      'services/accounting/**',
      'packages/contracts/src/accounting/**',
      '**/service-accounts/**',
    ],
    instead: "an account is the ledger's; people have credentials, programs have service accounts",
  },
  {
    names: /^transactions?$/i,
    files: ['services/*/src/**/*.ts', 'packages/contracts/src/**/*.ts'],
    exclude: ['**/*.test.ts'],
    instead: "a transaction is the database's; the ledger has journal entries",
  },
];

const declaration =
  /^\s*(?:export )?(?:declare )?(?:async )?(?:const|let|function|class|interface|type)\s+(\w+)/gm;

/** Words with one meaning in the glossary do not name something else. Each complaint names the file. */
export function checkWords(): string[] {
  return words.flatMap(({ names, files, exclude, instead }) => {
    const found = globSync([...files], { cwd: root, exclude: [...exclude] });
    if (found.length < 30)
      return [`only ${found.length} files were seen for ${names}: the rule was not applied`];
    return found.flatMap((file) => {
      const declared = [...readFileSync(join(root, file), 'utf8').matchAll(declaration)];
      const wrong = declared.flatMap(([, name = '']) => (names.test(name) ? name : []));
      return wrong.length === 0 ? [] : [`${file} declares ${wrong.join(', ')}: ${instead}`];
    });
  });
}
