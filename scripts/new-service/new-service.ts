import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { contractFiles, sliceContract, slicePermissions } from './contract-files.ts';
import { type Names, namesOf } from './names.ts';
import { recordFiles } from './record-files.ts';
import { serviceFiles } from './service-files.ts';
import { sliceFiles } from './slice-files.ts';

export interface NewSlice {
  readonly service: string;
  /** In the singular: `price-list`. */
  readonly resource: string;
  /** What Russian readers call them, in the plural: `прайс-листы`. */
  readonly russian: string;
}

export interface NewRecord extends NewSlice {
  /** In the singular: `прайс-лист`. */
  readonly russianOne: string;
}

/**
 * Writes a service with its contract and its first record, and registers it where services are listed.
 *
 * Errors: a name that is none of the platform's services; a folder that exists. Nothing is overwritten.
 */
export async function newService(root: string, slice: NewRecord): Promise<string[]> {
  const names = namesOf(slice.service, slice.resource);
  for (const folder of [`services/${names.service}`, `packages/contracts/src/${names.service}`]) {
    if (existsSync(join(root, folder))) throw new Error(`${folder} exists; nothing was written`);
  }
  const files = { ...contractFiles(names), ...serviceFiles(names) };
  await writeNew(root, files);
  await register(root, names);
  return [...Object.keys(files), ...(await newRecord(root, slice))];
}

/**
 * Writes a slice into a service that exists: contract, routes, store, migration and tests.
 *
 * Errors: a service without a folder; a slice that exists. Nothing is overwritten.
 */
export async function newSlice(root: string, { service, resource, russian }: NewSlice): Promise<string[]> {
  const names = namesOf(service, resource);
  const contract = `packages/contracts/src/${service}`;
  const files = {
    [`${contract}/${names.kebabs}.ts`]: sliceContract(names),
    ...sliceFiles(names, await nextMigration(root, names)),
  };
  await addSlice(root, names, files);
  if (!existsSync(join(root, `${contract}/permissions.ts`))) {
    await writeNew(root, {
      [`${contract}/permissions.ts`]: "import { permission } from '../permission.ts';\n",
    });
    await append(root, `${contract}/index.ts`, "export * as permissions from './permissions.ts';\n");
  }
  await append(root, `${contract}/permissions.ts`, slicePermissions(names, russian));
  await depend(root, service, { '@marimo/postgres': 'workspace:*', zod: 'catalog:' });
  return Object.keys(files);
}

/**
 * Writes a record into a service that exists: declaration, labels, table, routes and tests.
 *
 * Errors: as `newSlice`.
 */
export async function newRecord(
  root: string,
  { service, resource, russian, russianOne }: NewRecord,
): Promise<string[]> {
  const names = namesOf(service, resource);
  const files = recordFiles(names, await nextMigration(root, names), { one: russianOne, many: russian });
  await addSlice(root, names, files);
  return Object.keys(files);
}

/** Writes the files of a slice, and names it in its contract and its service. */
async function addSlice(root: string, names: Names, files: Readonly<Record<string, string>>): Promise<void> {
  const { service, camel, camels, kebabs } = names;
  for (const path of Object.keys(files)) {
    if (existsSync(join(root, path))) throw new Error(`${path} exists; nothing was written`);
  }
  await writeNew(root, files);
  const index = `packages/contracts/src/${service}/index.ts`;
  await append(root, index, `export * as ${camels} from './${kebabs}.ts';\n`);
  await change(root, `services/${service}/service.ts`, [
    [/^/, `import { ${camel}Routes } from './src/${kebabs}/routes.ts';\n`],
    [/routes: \[(?=[\s\S]*?\])/, `routes: [${camel}Routes, `],
  ]);
}

/** Where services are listed: the contracts of all, what built-in roles may do, and the package's doors. */
async function register(root: string, { service, pascalService }: Names): Promise<void> {
  const contracts = 'packages/contracts/src';
  await change(root, `${contracts}/all.ts`, [
    [/^/, `import * as ${service} from './${service}/index.ts';\n`],
    [/(?<=Record<string, Contract>> = \{\n)/, `  ${service}: contract(${service}),\n`],
  ]);
  await change(root, `${contracts}/roles.ts`, [
    [/^/, `import { grants as of${pascalService} } from './${service}/role-grants.ts';\n`],
    [/(?<=\[everything, )/, `of${pascalService}, `],
  ]);
  const door = { [`./${service}`]: `./src/${service}/index.ts` };
  const file = join(root, 'packages/contracts/package.json');
  const description = JSON.parse(await readFile(file, 'utf8'));
  description.exports = { ...description.exports, ...door };
  await writeFile(file, `${JSON.stringify(description, null, 2)}\n`);
}

/** What a slice with statements of its own imports beside what a record does. */
async function depend(
  root: string,
  service: string,
  libraries: Readonly<Record<string, string>>,
): Promise<void> {
  const file = join(root, 'services', service, 'package.json');
  const description = JSON.parse(await readFile(file, 'utf8'));
  const dependencies = Object.entries<string>({ ...description.dependencies, ...libraries });
  description.dependencies = Object.fromEntries(
    dependencies.sort(([one], [other]) => (one < other ? -1 : 1)),
  );
  await writeFile(file, `${JSON.stringify(description, null, 2)}\n`);
}

async function nextMigration(root: string, { service }: Names): Promise<string> {
  const home = join(root, 'services', service);
  if (!existsSync(join(home, 'service.ts')))
    throw new Error(`there is no services/${service}: make it with new-service`);
  const folder = join(home, 'migrations');
  const files = existsSync(folder) ? await readdir(folder) : [];
  const last = Math.max(0, ...files.map((file) => Number(/^\d{4}/.exec(file)?.[0] ?? 0)));
  return String(last + 1).padStart(4, '0');
}

async function writeNew(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text, { flag: 'wx' });
  }
}

async function append(root: string, path: string, text: string): Promise<void> {
  await writeFile(join(root, path), text, { flag: 'a' });
}

/** Puts each text where its place is found. */
async function change(
  root: string,
  path: string,
  changes: readonly (readonly [RegExp, string])[],
): Promise<void> {
  let text = await readFile(join(root, path), 'utf8');
  for (const [place, added] of changes) {
    if (!place.test(text)) throw new Error(`${path}: the place for "${added.trim()}" was not found`);
    text = text.replace(place, added);
  }
  await writeFile(join(root, path), text);
}
