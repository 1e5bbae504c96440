import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { FileContent } from '../file-content.ts';
import { ImportQuery, RefusedRow, UnderstoodFile } from '../import.ts';
import { JobStarted } from '../platform/jobs.ts';
import { Absent, TooManyRequests } from '../platform/refusals.ts';
import { lineOfText } from '../texts.ts';
import type { Fields } from './fields.ts';
import { exportQuery } from './list-query.ts';
import type { ExportInput, ParsedQuery } from './query-input.ts';
import { listedFields, type RecordDeclaration, type Transitions } from './record.ts';

export const recordFileTypes = [
  'text/csv',
  'application/json',
  'application/x-ndjson',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
];

/** What became of the rows of an import; also the result of the job that does a large one. */
export const RecordImportReport = z.strictObject({
  created: z.int(),
  changed: z.int(),
  /** There already with the same content. */
  repeated: z.int(),
  refusedTotal: z.int(),
  refused: z.array(RefusedRow.extend({ key: z.string().nullable() })),
  /** How a file of cells was read. */
  understood: UnderstoodFile.optional(),
});
export type RecordImportReport = z.output<typeof RecordImportReport>;

/** More rows than this are imported by a job. */
export const mostRowsInRequest = 10_000;

export function fileEndpoints<
  const Name extends string,
  const F extends Fields,
  const State extends string,
  const T extends Transitions,
>(record: RecordDeclaration<Name, F, State, T>) {
  const { path, permissions, grammar, labels } = record;
  const { read, create } = permissions;
  const names = labels.many.en.toLowerCase();
  return {
    exportFile: endpoint({
      method: 'GET',
      path: `${path}/export`,
      summary: `Exports ${names} as CSV, XLSX or NDJSON, by the filters of the list.`,
      access: read,
      query: exportQuery(grammar, listedFields(record)) as z.ZodType<ParsedQuery, ExportInput<F>>,
      replies: { 200: FileContent },
      refusals: [TooManyRequests],
      deadlineMs: 10 * 60_000,
    }),
    importFile: endpoint({
      method: 'POST',
      path: `${path}/import`,
      summary: `Imports ${names}; those with a known key are changed. Over 10,000 rows it becomes a job.`,
      access: create,
      query: ImportQuery.extend({
        /** The name of a saved mapping. */
        mapping: lineOfText(100).optional(),
      }),
      body: { stream: recordFileTypes },
      bodyLimitBytes: 64 * 1024 * 1024,
      deadlineMs: 120_000,
      replies: {
        200: RecordImportReport,
        202: JobStarted,
      },
      refusals: [Absent],
      repeat: 'natural',
    }),
    importTemplate: endpoint({
      method: 'GET',
      path: `${path}/import-template`,
      summary: 'Returns an empty file with the columns of an import.',
      access: create,
      query: z.strictObject({
        format: z.enum(['csv', 'xlsx']).default('xlsx'),
        /** That of the organisation unless told. */
        language: z.enum(['en', 'ru']).optional(),
      }),
      replies: { 200: FileContent },
    }),
  };
}
