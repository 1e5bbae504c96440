import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

export interface MigrationFile {
  /** The last two parts of the path: `accounting/migrations`. Stable wherever the tree lies. */
  readonly folder: string;
  readonly number: number;
  readonly file: string;
  readonly checksum: string;
  readonly sql: string;
}

/** The files of one folder in the order of their numbers. */
export async function readMigrations(folder: URL): Promise<MigrationFile[]> {
  const name = decodeURIComponent(folder.pathname).split('/').filter(Boolean).slice(-2).join('/');
  const directory = folder.href.endsWith('/') ? folder : new URL(`${folder.href}/`);
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort();
  const migrations = await Promise.all(files.map((file) => readMigration(name, directory, file)));
  const twice = migrations.find((each, index) => each.number === migrations[index - 1]?.number);
  if (twice) throw new Error(`Migration number ${twice.number} is used twice in ${name}`);
  return migrations;
}

async function readMigration(folder: string, directory: URL, file: string): Promise<MigrationFile> {
  const number = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(file)?.[1];
  if (number === undefined) throw new Error(`${folder}/${file} is not named like 0001_journal.sql`);
  // A checkout with other line ends is the same migration.
  const sql = (await readFile(new URL(file, directory), 'utf8')).replaceAll('\r\n', '\n');
  return {
    folder,
    number: Number(number),
    file,
    sql,
    checksum: createHash('sha256').update(sql).digest('hex'),
  };
}

export interface AppliedMigration {
  readonly number: number;
  readonly file: string;
  readonly checksum: string;
}

/** What is still to be applied. Throws when the database and the files tell different histories. */
export function pendingMigrations(
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
): MigrationFile[] {
  const byNumber = new Map(files.map((each) => [each.number, each]));
  for (const { number, file, checksum } of applied) {
    const known = byNumber.get(number);
    if (!known) throw new Error(`The database has migration ${file}, which this version does not know`);
    if (known.checksum !== checksum) {
      throw new Error(`${known.folder}/${known.file} was changed after it had been applied as ${file}`);
    }
  }
  const last = Math.max(0, ...applied.map((each) => each.number));
  const pending = files.filter((each) => !applied.some(({ number }) => number === each.number));
  const late = pending.find((each) => each.number < last);
  if (late) {
    const seen = `migration ${last} of ${late.folder} is applied already`;
    throw new Error(`${late.file} comes too late: ${seen}; give it a higher number`);
  }
  return pending;
}
