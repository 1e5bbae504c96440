import type { Names } from './names.ts';

/** What a new service promises beside its first slice; by path from the project's root. */
export function contractFiles({ service }: Names): Record<string, string> {
  const folder = `packages/contracts/src/${service}`;
  return {
    [`${folder}/index.ts`]: `export { grants } from './role-grants.ts';\n`,
    [`${folder}/role-grants.ts`]: roleGrants(service),
  };
}

const roleGrants = (service: string) => `import type { RoleGrants } from '../built-in-roles.ts';

export const grants: RoleGrants = {
  manager: ['${service}.*'],
};
`;

/** Endpoints, event and refusal of a slice that adds, lists and shows one resource. */
export const sliceContract = ({
  service,
  kebab,
  kebabs,
  camel,
  pascal,
  pascals,
  words,
  plural,
}: Names) => `import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Absent } from '../platform/refusals.ts';
import { create${pascals}, read${pascals} } from './permissions.ts';

/** The caller picks \`${camel}Id\`, so a retry after a lost reply adds one ${words}. */
export const ${pascal} = z.strictObject({ ${camel}Id: Id, name: z.string().trim().min(1).max(200) });
export type ${pascal} = z.output<typeof ${pascal}>;

export class ${pascal}Conflict extends refusal(z.object({ ${camel}Id: z.string() }), {
  code: '${service}.${kebab}-conflict',
  kind: 'conflict',
  title: 'Another ${words} has this id',
  detail: ({ ${camel}Id }) => \`The id \${${camel}Id} belongs to a ${words} with other content. Choose another id.\`,
}) {}

/** Subject: the ${words}. */
export const created = event('${service}.${kebab}-created.v1', ${pascal});

const path = '/api/v1/${service}/${kebabs}';

export const create = endpoint({
  method: 'POST',
  path,
  summary: 'Adds a ${words}. Returns 200 if an identical one exists.',
  access: create${pascals},
  body: ${pascal},
  replies: { 201: ${pascal}, 200: ${pascal} },
  refusals: [${pascal}Conflict],
});

export const list = endpoint({
  method: 'GET',
  path,
  summary: 'Lists the ${plural} in the order of their ids.',
  access: read${pascals},
  query: PageQuery,
  replies: { 200: pageOf(${pascal}) },
});

export const get = endpoint({
  method: 'GET',
  path: \`\${path}/{${camel}Id}\`,
  summary: 'Returns one ${words}.',
  access: read${pascals},
  params: z.strictObject({ ${camel}Id: Id }),
  replies: { 200: ${pascal} },
  refusals: [Absent],
});
`;

/** The permissions of the slice, to stand below those of the other slices. */
export const slicePermissions = ({ service, kebab, pascals, plural }: Names, russian: string) => `
export const read${pascals} = permission('${service}.${kebab}.read', {
  en: 'See ${plural}',
  ru: 'Видеть: ${russian}',
});
export const create${pascals} = permission('${service}.${kebab}.create', {
  en: 'Add ${plural}',
  ru: 'Добавлять: ${russian}',
});
`;
