import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { contractFiles, problemLine } from './contract-files.ts';
import { namesOf } from './names.ts';
import { serviceFiles } from './service-files.ts';

export interface NewService {
  /** Paths from the root. */
  readonly files: readonly string[];
  /** What is left to do by hand, a line each. */
  readonly next: readonly string[];
}

/**
 * Writes a service and its contracts: one slice that adds, lists and shows one resource. Nothing is overwritten.
 *
 * Errors: a name that is none of the platform's services; a folder that is there already.
 */
export async function newService(root: string, service: string, resource: string): Promise<NewService> {
  const names = namesOf(service, resource);
  for (const folder of [`services/${service}`, `packages/contracts/src/${service}`]) {
    if (existsSync(join(root, folder))) throw new Error(`${folder} is there already; nothing was written`);
  }
  const files = { ...contractFiles(names), ...serviceFiles(names) };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text, { flag: 'wx' });
  }
  await exportContracts(join(root, 'packages/contracts/package.json'), service);
  return {
    files: Object.keys(files),
    next: [
      `packages/contracts/src/all.ts: import its endpoints and permissions, so that the gateway routes to it and roles can hold them`,
      `docs/problems.md: add ${problemLine(names)}`,
      `packages/contracts/src/${service}/permissions.ts: say in Russian what each permission allows`,
      `services/${service}: replace what is not yet the trade, then run npm test -- services/${service}`,
    ],
  };
}

async function exportContracts(file: string, service: string): Promise<void> {
  const description = JSON.parse(await readFile(file, 'utf8'));
  description.exports[`./${service}`] = `./src/${service}/index.ts`;
  await writeFile(file, `${JSON.stringify(description, null, 2)}\n`);
}
