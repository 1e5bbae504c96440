import type { RecordDeclaration } from '@marimo/contracts/records';
import type { Author, ImportPlan, Restriction } from '@marimo/records';

/** One record of a service that is imported from files. */
export interface RecordImporter {
  readonly record: RecordDeclaration;
  planOf(author: Author, restriction: Restriction, may: (permission: string) => boolean): ImportPlan;
}

/** The records of a service that are imported: `recordRoutes` adds them, and the job and the saved mappings find them. */
export interface RecordImports {
  add(importer: RecordImporter): void;
  /** By its full name. */
  find(record: string): RecordImporter | undefined;
  readonly names: readonly string[];
}

export function createRecordImports(): RecordImports {
  const importers = new Map<string, RecordImporter>();
  return {
    add: (importer) => importers.set(importer.record.fullName, importer),
    find: (record) => importers.get(record),
    get names() {
      return [...importers.keys()];
    },
  };
}

/** Without them a file of more than ten thousand rows would have nowhere to go. */
export function requireImportsDeclared(service: string, { names }: RecordImports): void {
  if (names.length === 0) return;
  throw new Error(`${service} imports ${names.join(', ')}, so it declares imports, jobs and files`);
}
