import type { Names } from './names.ts';

/** What the service promises; by path from the project's root. */
export function contractFiles(names: Names): Record<string, string> {
  const folder = `packages/contracts/src/${names.service}`;
  return {
    [`${folder}/index.ts`]: index(names),
    [`${folder}/${names.kebabs}.ts`]: resource(names),
    [`${folder}/permissions.ts`]: permissions(names),
    [`${folder}/refusals.ts`]: refusals(names),
  };
}

const index = ({
  kebabs,
  camel,
  pascal,
  pascals,
}: Names) => `import type { AnyEndpoint } from '../endpoint.ts';
import type { Permission } from '../permission.ts';
import * as granted from './permissions.ts';
import { create${pascal}, get${pascal}, list${pascals} } from './${kebabs}.ts';

export { ${pascal}Conflict } from './refusals.ts';
export { ${camel}Created, create${pascal}, get${pascal}, list${pascals}, ${pascal} } from './${kebabs}.ts';

export const endpoints: readonly AnyEndpoint[] = [create${pascal}, list${pascals}, get${pascal}];

export const permissions: readonly Permission[] = Object.values(granted);
`;

const resource = ({
  service,
  kebab,
  kebabs,
  camel,
  pascal,
  pascals,
  words,
  plural,
}: Names) => `import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Absent } from '../platform/refusals.ts';
import { create${pascals}, read${pascals} } from './permissions.ts';
import { ${pascal}Conflict } from './refusals.ts';

const ${pascal}Id = z.uuid().toLowerCase();

/** The caller picks \`${camel}Id\`, so a retry after a lost reply adds one ${words}. */
export const ${pascal} = z.strictObject({ ${camel}Id: ${pascal}Id, name: z.string().trim().min(1).max(200) });
export type ${pascal} = z.infer<typeof ${pascal}>;

/** Subject: the ${words}. */
export const ${camel}Created = event('${service}.${kebab}-created.v1', ${pascal});

const path = '/api/v1/${service}/${kebabs}';

export const create${pascal} = endpoint({
  method: 'POST',
  path,
  summary: 'Adds a ${words}; 200 when it is there already just so.',
  access: create${pascals},
  body: ${pascal},
  replies: { 201: ${pascal}, 200: ${pascal} },
  refusals: [${pascal}Conflict],
});

export const list${pascals} = endpoint({
  method: 'GET',
  path,
  summary: 'The ${plural} in the order of their ids.',
  access: read${pascals},
  query: PageQuery,
  replies: { 200: pageOf(${pascal}) },
});

export const get${pascal} = endpoint({
  method: 'GET',
  path: \`\${path}/{${camel}Id}\`,
  summary: 'One ${words}.',
  access: read${pascals},
  params: z.strictObject({ ${camel}Id: ${pascal}Id }),
  replies: { 200: ${pascal} },
  refusals: [Absent],
});
`;

const permissions = ({
  service,
  kebab,
  pascals,
  plural,
}: Names) => `import { permission } from '../permission.ts';

export const read${pascals} = permission('${service}.${kebab}.read', {
  en: 'See the ${plural}',
  ru: 'Видеть: ${plural}',
});
export const create${pascals} = permission('${service}.${kebab}.create', {
  en: 'Add ${plural}',
  ru: 'Добавлять: ${plural}',
});
`;

const refusals = ({
  service,
  kebab,
  camel,
  pascal,
  words,
}: Names) => `import { refusal } from '@marimo/problems';
import { z } from 'zod';

export class ${pascal}Conflict extends refusal(z.object({ ${camel}Id: z.string() }), {
  code: '${service}.${kebab}-conflict',
  kind: 'conflict',
  title: '${conflictTitle(words)}',
  detail: ({ ${camel}Id }) => \`The id \${${camel}Id} belongs to a ${words} with other content. Choose another id.\`,
}) {}
`;

const conflictTitle = (words: string) => `Another ${words} has this id`;

/** The line that \`docs/problems.md\` needs for the refusal above. */
export const problemLine = ({ service, kebab, camel, words }: Names) =>
  `| \`${service}.${kebab}-conflict\` | 409 | ${conflictTitle(words)} | \`${camel}Id\` |`;
