import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.ts';

/** Words that a customer should not have to puzzle over; the usual term says it better. */
const puzzling =
  /\b(nobody|somebody|whoever|anew|just so|mend|mended|no such thing|there already|at the hands of)\b/i;

/** Lines with such words in pages written before this rule. A number may only become smaller. */
const baseline: Readonly<Record<string, number>> = {
  'docs/domain/ledger.md': 2,
};

/** What customers read is in plain English: texts of the API, mails and pages. Each complaint names the place. */
export function checkLanguage(): string[] {
  return [...textsOfTheApi(), ...pages()];
}

function textsOfTheApi(): string[] {
  const files = globSync(['packages/contracts/src/**/*.ts', 'services/workers/src/emails/templates/*.ts'], {
    cwd: root,
    exclude: ['**/*.test.ts'],
  });
  if (files.length < 30) return [`only ${files.length} files with texts were seen: the rule was not applied`];
  return files.flatMap((file) => {
    const code = withoutComments(readFileSync(join(root, file), 'utf8'));
    const found = puzzling.exec(code)?.[0];
    return found === undefined ? [] : [`${file}: "${found}" stands in a text that customers read`];
  });
}

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
}

function pages(): string[] {
  return globSync(['*.md', 'docs/**/*.md'], { cwd: root }).flatMap((file) => {
    const lines = readFileSync(join(root, file), 'utf8')
      .split('\n')
      .filter((line) => puzzling.test(line));
    const allowed = baseline[file] ?? 0;
    if (lines.length > allowed)
      return [
        `${file}: ${lines.length} lines with words such as "${puzzling.exec(lines.at(-1) ?? '')?.[0]}"; ${allowed} allowed`,
      ];
    return lines.length < allowed ? [`${file}: only ${lines.length} lines are left; lower its number`] : [];
  });
}

/** The last commit before titles were checked. */
const checkedSince = '799eb39';
const titleForm = /^(feat|fix|refactor|docs|test|perf|style|chore|build|ci)(\([a-z-]+\))?: (\S+)/;
/** Too long when they were written. */
const acceptedTitles = [
  'fix(users): find roles behind names with dots and choose client authentication',
  'feat(scripts): write slices of services that exist, and register services',
  'refactor(users): pass instants as dates in members, invitations and roles',
  'fix(service-kit): accept every label of UTF-8 and say what a 415 is about',
];

/** Titles of commits are imperative, conventional and at most 72 characters; not asked where there is no history. */
export async function checkCommitTitles(): Promise<string[]> {
  const { code, output } = await run('git', ['log', '--no-merges', '--format=%s', `${checkedSince}..HEAD`], {
    quiet: true,
  });
  if (code !== 0) return [];
  return output
    .split('\n')
    .filter((title) => title !== '' && !acceptedTitles.includes(title) && !isGoodTitle(title))
    .map((title) => `"${title}": a title is like "fix(users): refuse …", imperative, at most 72 characters`);
}

function isGoodTitle(title: string): boolean {
  const verb = titleForm.exec(title)?.[3];
  if (verb === undefined || title.length > 72) return false;
  return !/(ed|ing|[^su]s)$/.test(verb) || /^(bring|need|feed|embed|speed)$/.test(verb);
}
