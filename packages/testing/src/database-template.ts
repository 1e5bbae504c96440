import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createLog } from '@marimo/observability';
import {
  asAdministrator,
  type LoginRole,
  migrate,
  passwordOf,
  roleName,
  type ServerAddress,
} from '@marimo/postgres';

/** What a service brings to the database. */
export interface SchemaUnderTest {
  readonly schema: string;
  readonly folders: readonly URL[];
}

/** A new database of its own, cloned from a template that is migrated once in a run, whoever needs it first. */
export async function cloneTemplate(
  cluster: ServerAddress,
  schemas: readonly SchemaUnderTest[],
): Promise<ServerAddress> {
  const template = `template_${await fingerprint(schemas)}`;
  const database = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdministrator(cluster, async (client) => {
    await client.query('select pg_advisory_lock(hashtext($1))', [template]);
    const found = await client.query('select from pg_database where datname = $1', [template]);
    if (found.rowCount === 0) await makeTemplate(cluster, schemas, template);
    // Copied page by page through the log, the default, a clone costs four times as much.
    await client.query(`create database ${database} template ${template} strategy file_copy`);
  });
  return { ...cluster, database };
}

async function makeTemplate(
  cluster: ServerAddress,
  schemas: readonly SchemaUnderTest[],
  template: string,
): Promise<void> {
  // Named at the end: a template that failed half way must not be found.
  const unfinished = `unfinished_${randomUUID().replaceAll('-', '')}`;
  const log = createLog({ service: 'testing', level: 'silent' });
  for (const { schema, folders } of schemas) {
    const passwords = { app: testPassword(schema, 'app'), relay: testPassword(schema, 'relay') };
    await migrate({ ...cluster, database: unfinished }, { schema, folders, passwords, log });
  }
  await asAdministrator(cluster, (client) =>
    client.query(`alter database ${unfinished} rename to ${template}`),
  );
}

export function testPassword(schema: string, role: LoginRole): string {
  return passwordOf(roleName(schema, role), 'testing');
}

async function fingerprint(schemas: readonly SchemaUnderTest[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { schema, folders } of schemas) {
    hash.update(`schema ${schema}\n`);
    for (const folder of folders) {
      const base = folder.href.endsWith('/') ? folder : new URL(`${folder.href}/`);
      for (const file of (await readdir(base)).sort())
        hash.update(`${file}\n`).update(await readFile(new URL(file, base)));
    }
  }
  return hash.digest('hex').slice(0, 32);
}
