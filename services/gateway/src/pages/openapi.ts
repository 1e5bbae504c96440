import { isDeepStrictEqual } from 'node:util';
import type { AnyEndpoint } from '@marimo/contracts';
import { openApiOf } from '@marimo/service-kit';

type Named<T = unknown> = Record<string, T>;
interface Operation {
  readonly tags: readonly string[];
}
interface Page {
  readonly paths: Named<Named<Operation>>;
  readonly components: Named<Named>;
}

/** One description of everything behind the gateway. Throws where two contracts describe one thing differently. */
export function mergedOpenApi(contracts: Readonly<Named<readonly AnyEndpoint[]>>, version: string): object {
  const paths: Named<Named> = {};
  const components: Named<Named> = {};
  for (const [service, endpoints] of Object.entries(contracts)) {
    const open = endpoints.filter(({ path }) => !path.startsWith('/internal/'));
    const page = openApiOf({ title: service, version, endpoints: open }) as unknown as Page;
    for (const [path, operations] of Object.entries(page.paths)) {
      paths[path] = together(paths[path], tagged(service, operations), () => false);
    }
    for (const [kind, shapes] of Object.entries(page.components)) {
      components[kind] = together(components[kind], shapes, isDeepStrictEqual);
    }
  }
  return { openapi: '3.1.0', info: { title: 'Marimo ERP', version }, paths, components };
}

/** Both, unless they give one name to things that may not be one. */
function together(known: Named = {}, more: Named, maybeOne: (a: unknown, b: unknown) => boolean): Named {
  for (const [name, thing] of Object.entries(more)) {
    if (name in known && !maybeOne(known[name], thing)) {
      throw new Error(`Two contracts describe ${name}, each in its own way: ${JSON.stringify(thing)}`);
    }
  }
  return { ...known, ...more };
}

function tagged(service: string, operations: Named<Operation>): Named<Operation> {
  const named = Object.entries(operations).map(([method, operation]) => {
    return [method, { ...operation, tags: operation.tags.map((tag) => `${service}: ${tag}`) }] as const;
  });
  return Object.fromEntries(named);
}
