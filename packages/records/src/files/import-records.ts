import { FileRowRefused, type ImportMode, mostRefusedDescribed } from '@marimo/contracts';
import type { AnyRecord, RecordImportReport } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import { type Refusal, toProblem } from '@marimo/problems';
import type { RecordValues } from '../rows.ts';
import type { GivenRecord } from './given-record.ts';
import { type ImportPlan, importPiece, type RowOutcome } from './import-piece.ts';
import type { RecordFile } from './read-records.ts';

/** How far an import has come, as it is kept with each piece. */
export interface ImportSoFar {
  /** The last row that was dealt with. */
  readonly line: number;
  readonly report: RecordImportReport;
}

export interface ImportRun {
  readonly mode: ImportMode;
  readonly dryRun: boolean;
  inTransaction<R>(work: (tx: TenantTransaction) => Promise<R>): Promise<R>;
  /** Where an earlier attempt has come to. */
  readonly from?: ImportSoFar | undefined;
  /** Keeps how far it has come, in the transaction of the piece. */
  readonly keep?: (tx: TenantTransaction, soFar: ImportSoFar) => Promise<void>;
  /** Told after each piece; throws where the import must end. */
  readonly progress?: (rows: number) => void;
}

const rowsInPiece = 500;

/**
 * Imports a file: in mode `each` in pieces of some hundred rows, each its own transaction; all or nothing, or to see what
 * would happen, in one.
 */
export async function importRecords(
  file: RecordFile,
  plan: ImportPlan,
  run: ImportRun,
): Promise<RecordImportReport> {
  return run.mode === 'each' && !run.dryRun ? inPieces(file, plan, run) : asOne(file, plan, run);
}

async function inPieces(file: RecordFile, plan: ImportPlan, run: ImportRun): Promise<RecordImportReport> {
  let soFar = run.from ?? { line: 0, report: nothingYet };
  let done = 0;
  for await (const { rows, refused } of piecesOf(file, plan.record)) {
    done += rows.length + refused.length;
    const line = Math.max(...rows.map((row) => row.line), ...refused.map(({ row }) => row.line));
    if (line <= soFar.line) continue;
    const before = soFar;
    soFar = await run.inTransaction(async (tx) => {
      const outcomes = [...refused, ...(await importPiece(tx, plan, rows))];
      const after = { line, report: counted(before.report, plan.record, outcomes) };
      await run.keep?.(tx, after);
      return after;
    });
    run.progress?.(done);
  }
  return soFar.report;
}

class RolledBack extends Error {
  override readonly name = 'RolledBack';
  readonly report: RecordImportReport;

  constructor(report: RecordImportReport) {
    super('The import leaves nothing');
    this.report = report;
  }
}

async function asOne(file: RecordFile, plan: ImportPlan, run: ImportRun): Promise<RecordImportReport> {
  const isAll = run.mode === 'all-or-nothing';
  try {
    return await run.inTransaction(async (tx) => {
      let report = nothingYet;
      let done = 0;
      for await (const { rows, refused } of piecesOf(file, plan.record)) {
        report = counted(report, plan.record, [...refused, ...(await importPiece(tx, plan, rows))]);
        done += rows.length + refused.length;
        run.progress?.(done);
      }
      const isSpoilt = isAll && report.refusedTotal > 0;
      if (isSpoilt) throw new RolledBack({ ...report, created: 0, changed: 0 });
      if (run.dryRun) throw new RolledBack(report);
      return report;
    });
  } catch (error) {
    if (error instanceof RolledBack) return error.report;
    throw error;
  }
}

interface Piece {
  readonly rows: GivenRecord[];
  readonly refused: RowOutcome[];
}

/** Some rows at a time. An id or a key that has been in the file before refuses its row. */
async function* piecesOf(file: RecordFile, record: AnyRecord): AsyncGenerator<Piece, void, undefined> {
  const seen = new Map<string, number>();
  let piece: Piece = { rows: [], refused: [] };
  for await (const row of file.records()) {
    const refusal = row.refusal ?? seenBefore(record, row, seen);
    if (refusal === undefined) piece.rows.push(row);
    else piece.refused.push({ row, kind: 'refused', refusal });
    if (piece.rows.length + piece.refused.length < rowsInPiece) continue;
    yield piece;
    piece = { rows: [], refused: [] };
  }
  if (piece.rows.length + piece.refused.length > 0) yield piece;
}

function seenBefore(
  record: AnyRecord,
  { line, given, placeOf }: GivenRecord,
  seen: Map<string, number>,
): Refusal | undefined {
  const marks = [[record.idField], record.key].filter(
    (fields) =>
      fields.length > 0 && fields.every((field) => given[field] !== undefined && given[field] !== null),
  );
  for (const fields of marks) {
    const mark = JSON.stringify(fields.map((field) => [field, given[field]]));
    const before = seen.get(mark);
    if (before === undefined) {
      seen.set(mark, line);
      continue;
    }
    const place = placeOf?.([fields[0] ?? '']) ?? { row: line, column: fields[0] ?? null };
    const shown = fields.map((field) => String(given[field])).join(', ');
    return new FileRowRefused({
      cells: [{ ...place, detail: `${JSON.stringify(shown)} stands in row ${before} already` }],
    });
  }
  return undefined;
}

const nothingYet: RecordImportReport = { created: 0, changed: 0, repeated: 0, refusedTotal: 0, refused: [] };

function counted(
  report: RecordImportReport,
  record: AnyRecord,
  outcomes: readonly RowOutcome[],
): RecordImportReport {
  const count = (kind: RowOutcome['kind']) => outcomes.filter((each) => each.kind === kind).length;
  const refused = outcomes.flatMap((each) =>
    each.kind === 'refused'
      ? [{ line: each.row.line, key: keyText(record, each.row.given), problem: toProblem(each.refusal) }]
      : [],
  );
  return {
    created: report.created + count('created'),
    changed: report.changed + count('changed'),
    repeated: report.repeated + count('repeated'),
    refusedTotal: report.refusedTotal + refused.length,
    refused: [...report.refused, ...refused.toSorted((one, other) => one.line - other.line)].slice(
      0,
      mostRefusedDescribed,
    ),
  };
}

/** What the row calls itself. */
function keyText({ key, idField }: AnyRecord, given: RecordValues): string | null {
  const parts = (key.length > 0 ? key : [idField]).map((field) => given[field]);
  const named = parts.filter((part) => typeof part === 'string' || typeof part === 'number');
  return named.length === parts.length && parts.length > 0 ? named.join(', ').slice(0, 100) : null;
}
