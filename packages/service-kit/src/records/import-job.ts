import { Readable } from 'node:stream';
import { Absent, Id, ImportMode, type ServiceName } from '@marimo/contracts';
import { ImportMapping, type RecordImportReport } from '@marimo/contracts/records';
import type { Files } from '@marimo/files';
import { type JobKind, type JobRun, jobKind } from '@marimo/jobs';
import {
  deleteOldImports,
  getImportSoFar,
  importRecords,
  listCustomColumns,
  openRecordFile,
  type Restriction,
  upsertImportSoFar,
  ZoneClock,
} from '@marimo/records';
import { z } from 'zod';
import { requireFound } from '../http/require-found.ts';
import type { RecordImports } from './imports.ts';

const Input = z.strictObject({
  /** Its full name. */
  record: z.string(),
  fileId: Id,
  contentType: z.string(),
  mode: ImportMode,
  dryRun: z.boolean(),
  mapping: ImportMapping.shape.columns.optional(),
  timeZone: z.string(),
  /** What whoever asked may see, as it was then. */
  restriction: z.strictObject({
    filter: z.record(z.string(), z.json()).optional(),
    hidden: z.array(z.string()).optional(),
  }),
});
export type ImportJobInput = z.output<typeof Input>;

interface ImportDeps {
  readonly recordImports: RecordImports;
  readonly files: Files;
  readonly clock: () => Date;
}

/** How many refused rows stand in the result itself; the file that comes with it has more. */
const mostInResult = 100;
const reportBytes = 64 * 1024 * 1024;

/** Imports a file that is too long for a request. It goes on where it was, whatever is killed. */
export function importRecordsKind(service: ServiceName): JobKind<ImportDeps, typeof Input> {
  return jobKind({ kind: `${service}.import-records`, input: Input, run });
}

async function run(job: JobRun<ImportJobInput>, deps: ImportDeps) {
  const { record: name, fileId, contentType, mode, dryRun, mapping, timeZone } = job.input;
  const importer = requireFound(deps.recordImports.find(name), 'record');
  const restriction = job.input.restriction as Restriction;
  const { record } = importer;
  const author = { userId: job.asker.userId, at: deps.clock() };
  const plan = importer.planOf(author, restriction, (permission) => job.may(permission));
  const [stored, from, custom] = await job.inTenant(async (tx) => {
    await deleteOldImports(tx);
    return [
      await deps.files.find(tx, fileId),
      await getImportSoFar(tx, job.jobId),
      await listCustomColumns(tx, record),
    ] as const;
  });
  if (stored === undefined) throw new Absent({ resource: 'file' });
  const { hidden = [] } = restriction;
  const reading = { record, hidden, mapping, clock: new ZoneClock(timeZone), custom };
  const file = await openRecordFile(await deps.files.open(stored), contentType, reading);
  try {
    const of = await file.countTo(Number.POSITIVE_INFINITY);
    const report = await importRecords(file, plan, {
      mode,
      dryRun,
      from,
      inTransaction: (work) => job.inTenant(work),
      keep: (tx, soFar) => upsertImportSoFar(tx, job.jobId, soFar),
      progress(done) {
        job.signal.throwIfAborted();
        job.progress({ done, of });
      },
    });
    return await outcomeOf({ ...report, understood: file.understood() }, job, deps);
  } finally {
    await file.close();
  }
}

async function outcomeOf(
  report: RecordImportReport,
  { tenantId, jobId, signal }: JobRun,
  { files }: ImportDeps,
) {
  const { refused, ...counts } = report;
  const result = JSON.parse(JSON.stringify({ ...counts, refused: refused.slice(0, mostInResult) }));
  if (refused.length <= mostInResult) return { result };
  const lines = Readable.from(refused.map((row) => Buffer.from(`${JSON.stringify(row)}\n`)));
  const claims = { name: `import-${jobId}.ndjson`, limitBytes: reportBytes };
  const { fileId } = await files.receive({ tenantId, signal }, lines, claims);
  return { result, fileId };
}
