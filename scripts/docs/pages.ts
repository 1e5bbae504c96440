import { builtInRoles } from '@marimo/contracts';
import { conflictingDuties, contracts, gatewayContract, platformContract } from '@marimo/contracts/all';
import { type DeclaredRefusal, statusOf } from '@marimo/problems';
import { z } from 'zod';
import { lineOf } from '../guards/access-matrix.ts';

/** What stands below this line of a page is written by `npm run docs`; what stands above it, by people. */
export const marker = '<!-- Everything below is written by npm run docs. -->';

/** The pages that follow from the contracts, by path from the project's root. */
export const pages: Readonly<Record<string, () => string>> = {
  'docs/access.md': access,
  'docs/problems.md': problems,
  'docs/events.md': events,
  'docs/domain/separation-of-duties.md': duties,
};

const declaring = { platform: platformContract, gateway: gatewayContract, ...contracts };

function access(): string {
  const roles = Object.keys(builtInRoles);
  const heading = table('Endpoint', 'Needs', ...roles);
  return sections(contracts, ({ endpoints }) => [heading, ...endpoints.map(lineOf)]);
}

function problems(): string {
  const heading = table('Code', 'Status', 'Title', 'Facts');
  return sections(declaring, ({ refusals }) => [heading, ...refusals.map(problem).sort()]);
}

function problem({ definition: { code, kind, title }, facts }: DeclaredRefusal): string {
  return `| \`${code}\` | ${statusOf(kind)} | ${title} |${cell(names(facts))}|`;
}

function events(): string {
  const heading = table('Type', 'Data');
  return sections(contracts, (contract) => [
    heading,
    ...contract.events.map(({ type, data }) => `| \`${type}\` |${cell(names(data))}|`).sort(),
  ]);
}

function duties(): string {
  const side = (permissions: readonly { readonly name: string }[]) =>
    permissions.map(({ name }) => `\`${name}\``).join(', ');
  const lines = conflictingDuties.map(
    ({ id, title, left, right, source }) =>
      `| \`${id}\` | ${title.en} | ${side(left)} | ${side(right)} | ${source} |`,
  );
  return `\n${[table('Pair', 'Duties', 'Any of', 'With any of', 'Source'), ...lines].join('\n')}\n`;
}

function sections<T>(of: Readonly<Record<string, T>>, linesOf: (each: T) => readonly string[]): string {
  return Object.entries(of)
    .map(([service, each]) => `\n## ${service}\n\n${linesOf(each).join('\n')}\n`)
    .join('');
}

function table(...columns: readonly string[]): string {
  return `| ${columns.join(' | ')} |\n|${columns.map(() => '---').join('|')}|`;
}

const cell = (text: string) => (text === '' ? ' ' : ` ${text} `);

/** The fields of an object, as code. */
function names(schema: z.ZodType): string {
  const fields = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  return fields.map((name) => `\`${name}\``).join(', ');
}
