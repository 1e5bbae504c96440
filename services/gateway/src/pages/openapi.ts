import { isDeepStrictEqual } from 'node:util';
import type { AnyEndpoint } from '@marimo/contracts';
import { openApiOf } from '@marimo/service-kit';
import { z } from 'zod';

type Named<T = unknown> = Record<string, T>;

export interface MergedOpenApi {
  readonly page: object;
  /** What two services name alike though it differs, and what became of it. */
  readonly conflicts: readonly string[];
}

const Operation = z.looseObject({ tags: z.array(z.string()).default([]) });
/** Of a page only what is merged; a service may be newer than the gateway. */
const Page = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), Operation)).default({}),
  components: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
});
type Page = z.infer<typeof Page>;

/** The page of one service, as its contract says. */
export function pageOf(service: string, endpoints: readonly AnyEndpoint[], version: string): unknown {
  return openApiOf({ title: service, version, endpoints });
}

/**
 * One description of everything behind the gateway, whatever the order the services came in. Where two describe one
 * operation, the first by name keeps it; where two give one name to different shapes, the later one's is renamed to
 * `<service>.<name>`. Both are told: the page is never silently wrong.
 */
export function mergedOpenApi(pages: ReadonlyMap<string, unknown>, version: string): MergedOpenApi {
  const conflicts: string[] = [];
  const paths: Named<Named> = {};
  const components: Named<Named> = {};
  for (const [service, given] of [...pages].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const read = Page.safeParse(given);
    if (!read.success) {
      conflicts.push(`${service} shows no OpenAPI page that can be read`);
      continue;
    }
    const page = withoutClashes(service, read.data, components, conflicts);
    for (const [path, operations] of Object.entries(page.paths)) {
      if (path.startsWith('/internal/')) continue;
      const known = paths[path] ?? {};
      paths[path] = known;
      for (const [method, operation] of Object.entries(operations)) {
        if (method in known)
          conflicts.push(`${method.toUpperCase()} ${path} of ${service} is described before`);
        else known[method] = { ...operation, tags: operation.tags.map((tag) => `${service}: ${tag}`) };
      }
    }
    for (const [kind, shapes] of Object.entries(page.components)) {
      components[kind] = { ...components[kind], ...shapes };
    }
  }
  return { page: { openapi: '3.1.0', info: { title: 'Marimo ERP', version }, paths, components }, conflicts };
}

/** The page with other names for what is named already and is something else, and every reference to it changed. */
function withoutClashes(service: string, page: Page, known: Named<Named>, conflicts: string[]): Page {
  let text: string | undefined;
  for (const [kind, shapes] of Object.entries(page.components)) {
    for (const [name, shape] of Object.entries(shapes)) {
      const other = known[kind]?.[name];
      if (other === undefined || isDeepStrictEqual(other, shape)) continue;
      const own = freeName(`${service}.${name}`, { ...known[kind], ...shapes });
      conflicts.push(`${kind}/${name} of ${service} differs from the one before; it is called ${own}`);
      const [from, to] = [`#/components/${kind}/${name}`, `#/components/${kind}/${own}`].map((ref) =>
        JSON.stringify(ref),
      );
      text = (text ?? JSON.stringify(page)).replaceAll(`"$ref":${from}`, `"$ref":${to}`);
      const changed = JSON.parse(text) as { components: Named<Named> };
      const ofKind = changed.components[kind] ?? {};
      ofKind[own] = ofKind[name];
      delete ofKind[name];
      text = JSON.stringify(changed);
    }
  }
  return text === undefined ? page : Page.parse(JSON.parse(text));
}

function freeName(wanted: string, taken: Named): string {
  let name = wanted;
  for (let number = 2; name in taken; number++) name = `${wanted}-${number}`;
  return name;
}
