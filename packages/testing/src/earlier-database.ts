import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createLog } from '@marimo/observability';
import { type LoginRole, migrate } from '@marimo/postgres';
import { type TestDatabase, testDatabase } from './database.ts';
import { testPassword } from './database-template.ts';

/** A database as it was before later migrations, for what they must make of the rows of then. */
export interface EarlierDatabase extends TestDatabase {
  /** Applies the later ones. */
  bringUpToDate(): Promise<unknown>;
}

/** @param last the number of the last migration it has, as its file begins: `0004` */
export async function earlierDatabase(
  schema: string,
  migrations: URL,
  last: string,
): Promise<EarlierDatabase> {
  const place = await mkdtemp(join(tmpdir(), 'marimo-migrations-'));
  const folder = join(place, schema, 'migrations'); // by these names the database knows which files it has
  await mkdir(folder, { recursive: true });
  const first = (await readdir(migrations)).filter((file) => file.slice(0, last.length) <= last);
  for (const file of first) await copyFile(new URL(file, migrations), join(folder, file));
  const old = await testDatabase({ schema, folders: [pathToFileURL(folder)] });
  const password = (role: LoginRole) => testPassword(schema, role);
  return {
    ...old,
    bringUpToDate: () =>
      migrate(old.server, {
        schema,
        folders: [migrations],
        passwords: { app: password('app'), relay: password('relay') },
        log: createLog({ service: 'migrate', level: 'silent' }),
      }),
    async drop() {
      await old.drop();
      await rm(place, { recursive: true });
    },
  };
}
