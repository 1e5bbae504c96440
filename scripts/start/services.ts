import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { servicePorts } from '@marimo/contracts';
import type { ServiceDefinition } from '@marimo/service-kit';
import { root } from '../steps/run.ts';

/** Every service there is a folder for, in the order of their ports but the gateway last: it needs the others. */
export async function findServices(): Promise<ServiceDefinition[]> {
  const files = globSync('services/*/service.ts', { cwd: root });
  const modules = await Promise.all(files.map((file) => import(pathToFileURL(join(root, file)).href)));
  const services = modules.flatMap((module) => Object.values(module) as ServiceDefinition[]);
  return services.sort((a, b) => startPlace(a) - startPlace(b));
}

function startPlace({ name }: ServiceDefinition): number {
  return name === 'gateway' ? Number.POSITIVE_INFINITY : servicePorts[name];
}
