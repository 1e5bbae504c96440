import { houseRules } from './steps/house-rules.ts';
import { install } from './steps/install.ts';
import { checkCommitTitles, checkLanguage } from './steps/language.ts';
import { run } from './steps/run.ts';
import { checkWords } from './steps/words.ts';

await install('everything');

const steps: Record<string, () => Promise<string[]>> = {
  types: () => tool('tsc', '--noEmit'),
  'format and lint': () => tool('biome', 'check', '--error-on-warnings', '.'),
  'floating promises': () =>
    tool('oxlint', '--type-aware', '--deny-warnings', 'packages', 'services', 'scripts', 'bench'),
  'import rules': importRules,
  'dead code': () => tool('knip', '--no-config-hints'),
  'house rules': async () => houseRules(),
  language: async () => [...checkLanguage(), ...checkWords(), ...(await checkCommitTitles())],
  documents,
};

let failed = false;
for (const [name, step] of Object.entries(steps)) {
  const started = performance.now();
  const complaints = await step();
  const seconds = ((performance.now() - started) / 1000).toPrecision(2);
  console.log(`${complaints.length === 0 ? '✔' : '✘'} ${name} (${seconds} s)`);
  for (const complaint of complaints) console.log(complaint);
  failed ||= complaints.length > 0;
}
process.exitCode = failed ? 1 : 0;

/** Imported late: the contracts need the libraries. */
async function documents(): Promise<string[]> {
  const { checkDocuments } = await import('./docs/documents.ts');
  return checkDocuments();
}

/** A tool from the libraries; what it prints is the complaint when it fails. */
async function tool(name: string, ...args: string[]): Promise<string[]> {
  const { code, output } = await run('pnpm', ['exec', name, ...args], { quiet: true });
  return code === 0 ? [] : [output];
}

/** dependency-cruiser says "no violations" of an empty tree too, so we also ask how many modules it saw. */
async function importRules(): Promise<string[]> {
  const args = [
    '--config',
    '.dependency-cruiser.mjs',
    '--output-type',
    'json',
    'packages',
    'services',
    'scripts',
    'bench',
  ];
  const { output } = await run('pnpm', ['exec', 'depcruise', ...args], { quiet: true });
  const start = output.indexOf('{');
  if (start < 0) return [output];
  const { summary } = JSON.parse(output.slice(start, output.lastIndexOf('}') + 1));
  if (summary.totalCruised < 50)
    return [`only ${summary.totalCruised} modules were seen: the rules were not applied`];
  return summary.violations.map(
    (violation: { rule: { name: string }; from: string; to: string }) =>
      `${violation.rule.name}: ${violation.from} → ${violation.to}`,
  );
}
