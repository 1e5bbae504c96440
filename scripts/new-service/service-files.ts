import type { Names } from './names.ts';

/** A service without slices yet; by path from the project's root. */
export function serviceFiles({ service, port }: Names): Record<string, string> {
  const folder = `services/${service}`;
  return {
    [`${folder}/service.ts`]: `import { defineService } from '@marimo/service-kit';

export const ${service} = defineService({
  name: '${service}',
  migrations: new URL('./migrations/', import.meta.url),
  routes: [],
});
`,
    [`${folder}/main.ts`]: `import { runService } from '@marimo/service-kit';
import { ${service} } from './service.ts';

await runService(${service});
`,
    [`${folder}/README.md`]: `# ${service}

Port ${port}; \`node services/${service}/main.ts\` starts it alone. Each folder under \`src\` is a slice of the trade.
`,
    [`${folder}/package.json`]: `${JSON.stringify(packageOf(service), null, 2)}\n`,
  };
}

const packageOf = (service: string) => ({
  name: `@marimo/${service}`,
  version: '0.1.0',
  private: true,
  description: `The ${service} service`,
  license: 'MIT',
  type: 'module',
  exports: { '.': './service.ts' },
  dependencies: {
    '@marimo/contracts': 'workspace:*',
    '@marimo/records': 'workspace:*',
    '@marimo/service-kit': 'workspace:*',
  },
  devDependencies: { '@marimo/testing': 'workspace:*' },
});
