import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.ts';

/** What changes how every test runs. */
const concernsAll = /^(package\.json|pnpm-lock\.yaml|jest\.config\.ts|packages\/testing\/src\/jest-)/;
/** Read when a service starts, so that no import leads to them: its own tests, and those of the whole platform. */
const notImported = /\.(sql|json|mjs|html|css|js)$/;

/** Files that differ from the merge base with main, and those not committed yet. */
export function changedFiles(): string[] {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);
  const [base = 'HEAD'] = git('merge-base', 'HEAD', 'main');
  const files = [...git('diff', '--name-only', base), ...git('ls-files', '--others', '--exclude-standard')];
  return [...new Set(files)].filter((path) => existsSync(join(root, path)));
}

/** What Jest is to find the tests of; undefined where it has to run all. */
export function filesToTest(changed: readonly string[]): string[] | undefined {
  if (changed.some((path) => concernsAll.test(path))) return undefined;
  const owners = changed.filter((path) => notImported.test(path)).map((path) => path.split('/').slice(0, 2));
  const tests = [...new Set(owners.map((parts) => parts.join('/')))].flatMap((folder) =>
    globSync(`${folder}/**/*.test.ts`, { cwd: root, exclude: ['**/node_modules/**'] }),
  );
  const runs = changed.some((path) => /^(services|packages)\//.test(path)) ? wholePlatform() : [];
  return [...new Set([...changed.filter((path) => path.endsWith('.ts')), ...tests, ...runs])];
}

/** They start the services as processes, so that no import leads from them to what changed. */
function wholePlatform(): string[] {
  return globSync('scripts/{guards,start}/**/*.test.ts', { cwd: root });
}
