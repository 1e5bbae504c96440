import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { servicePorts } from '@marimo/contracts';
import type { ServiceDefinition } from '@marimo/service-kit';
import { root } from '../steps/run.ts';

/** Every service there is a folder for, in the order of their ports but the gateway last: it needs the others. */
export async function findServices(): Promise<ServiceDefinition[]> {
  const services = await Promise.all(globSync('services/*/service.ts', { cwd: root }).map(load));
  return services.sort((a, b) => startPlace(a) - startPlace(b));
}

/** `services/users/service.ts` exports `users`. */
async function load(file: string): Promise<ServiceDefinition> {
  const module = await import(pathToFileURL(join(root, file)).href);
  const definition = module[basename(dirname(file))];
  if (definition === undefined) throw new Error(`${file} does not export a service of its folder's name`);
  return definition;
}

function startPlace({ name }: ServiceDefinition): number {
  return name === 'gateway' ? Number.POSITIVE_INFINITY : servicePorts[name];
}
