import type { Names } from './names.ts';
import { sliceFiles } from './slice-files.ts';

/** The service with its first slice; by path from the project's root. */
export function serviceFiles(names: Names): Record<string, string> {
  const folder = `services/${names.service}`;
  return {
    [`${folder}/service.ts`]: service(names),
    [`${folder}/main.ts`]: main(names),
    [`${folder}/package.json`]: packageJson(names),
    [`${folder}/README.md`]: readme(names),
    [`${folder}/migrations/0001_${names.snake}.sql`]: migration(names),
    ...sliceFiles(names, `${folder}/src/${names.kebabs}`),
  };
}

const service = ({
  service: name,
  kebabs,
  camel,
  plural,
}: Names) => `import { defineService } from '@marimo/service-kit';
import { ${camel}Routes } from './src/${kebabs}/index.ts';

/** Keeps the ${plural} of each organisation. */
export const ${name} = defineService({
  name: '${name}',
  migrations: new URL('./migrations/', import.meta.url),
  routes: [${camel}Routes],
});
`;

const main = ({ service: name }: Names) => `import { runService } from '@marimo/service-kit';
import { ${name} } from './service.ts';

await runService(${name});
`;

const packageJson = ({ service: name, plural }: Names) =>
  `${JSON.stringify(
    {
      name: `@marimo/${name}`,
      version: '0.1.0',
      private: true,
      description: `${plural.charAt(0).toUpperCase()}${plural.slice(1)} of each organisation`,
      license: 'MIT',
      type: 'module',
      exports: { '.': './service.ts' },
      dependencies: {
        '@marimo/contracts': 'workspace:*',
        '@marimo/postgres': 'workspace:*',
        '@marimo/service-kit': 'workspace:*',
        zod: 'catalog:',
      },
      devDependencies: { '@marimo/testing': 'workspace:*' },
    },
    null,
    2,
  )}
`;

const readme = ({ service: name, port, kebabs, plural }: Names) => `# ${name}

Keeps the ${plural} of each organisation. Port ${port}; \`node services/${name}/main.ts\` starts it alone.

| Slice | What it does | Shown by |
|---|---|---|
| \`src/${kebabs}\` | adds, lists and shows ${plural} | \`${kebabs}.test.ts\` |
`;

const migration = ({
  service: name,
  snake,
  plural,
}: Names) => `-- The ${plural} of each organisation. Ids are the callers' own, so that a repeated request adds nothing.
create table ${snake} (
  tenant_id uuid not null,
  ${snake}_id uuid not null,
  name text not null check (name <> ''),
  primary key (tenant_id, ${snake}_id)
);
select marimo.protect_tenant_table('${snake}');
revoke update, delete on ${snake} from ${name}_app;
`;
