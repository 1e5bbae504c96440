import type { AnyRecord, ParsedQuery } from '@marimo/contracts/records';
import { csvOf, type ExportColumn, type ExportRow, workbookOf } from '@marimo/file-export';
import type { TenantTransaction } from '@marimo/postgres';
import type { CustomColumn } from '../custom-fields.ts';
import type { Restriction } from '../filters.ts';
import { exportColumns, ndjsonOf, recordPages, rowPages } from './export.ts';
import { type FileColumn, fileColumns, type Language } from './file-columns.ts';
import type { Referred } from './referred.ts';
import type { ZoneClock } from './zone-time.ts';

/** What a file is: of which organisation, by whom, when, and by which filters. */
export interface ExportAbout {
  readonly organisation: string;
  readonly author: string;
  readonly at: Date;
  readonly query: ParsedQuery;
}

export interface FileRequest {
  readonly record: AnyRecord;
  readonly format: 'csv' | 'xlsx' | 'ndjson';
  readonly language: Language;
  readonly clock: ZoneClock;
  readonly about: ExportAbout;
  readonly restriction: Restriction;
  readonly referred: Referred;
  readonly custom: readonly CustomColumn[];
}

/** All records of a list as a file, made as it is read. */
export function exportOf(
  tx: TenantTransaction,
  request: FileRequest,
): AsyncGenerator<Buffer, void, undefined> {
  const { record, format, language, about, restriction, referred, custom } = request;
  const pages = recordPages(tx, record, about.query, restriction);
  if (format === 'ndjson') return ndjsonOf(pages);
  const chosen = about.query['fields'] as readonly string[] | undefined;
  const columns = exportColumns(record, custom, chosen, restriction.hidden);
  return fileOf(request, columns, rowPages(tx, pages, columns, referred, language), false);
}

/** An empty file with the columns of an import; in a workbook, what may stand in them. */
export function templateOf(request: FileRequest): AsyncGenerator<Buffer, void, undefined> {
  const { record, restriction, custom } = request;
  const byKey = record.key.length > 0;
  const columns = fileColumns(record, custom, restriction.hidden).filter(
    ({ name, use }) => use === 'written' && !(byKey && name === record.idField),
  );
  return fileOf(request, columns, noRows(), true);
}

async function* noRows(): AsyncGenerator<ExportRow[], void, undefined> {}

function fileOf(
  request: FileRequest,
  columns: readonly FileColumn[],
  rows: AsyncIterable<readonly ExportRow[]>,
  isTemplate: boolean,
): AsyncGenerator<Buffer, void, undefined> {
  const { record, format, language, about, clock } = request;
  const shown = headersOf(columns, language, isTemplate);
  if (format === 'csv') return csvOf(shown, rows, language === 'ru' ? 'local' : 'plain');
  return workbookOf(
    {
      title: record.labels.many[language],
      author: about.organisation,
      createdAt: about.at,
      columns: shown,
      about: {
        name: language === 'ru' ? 'О файле' : 'About',
        rows: [
          ...aboutRows(record, about, language),
          ...(isTemplate ? columnRows(record, columns, language) : []),
        ],
      },
      offsetMs: (at) => clock.offsetMs(at),
    },
    rows,
  );
}

/** By label; by its own name where two columns have the same label. */
function headersOf(columns: readonly FileColumn[], language: Language, isTemplate: boolean): ExportColumn[] {
  const taken = new Set<string>();
  return columns.map(({ name, label, declared, lines, writtenAs }) => {
    const text = taken.has(label[language]) ? name : label[language];
    taken.add(text);
    const isNeeded = isTemplate && lines === undefined && declared.presence === 'required';
    return { header: isNeeded ? `${text} *` : text, kind: writtenAs };
  });
}

function aboutRows({ labels }: AnyRecord, about: ExportAbout, language: Language): string[][] {
  const { organisation, author, at, query } = about;
  const filters = Object.entries(query).filter(([, value]) => value !== undefined);
  const words =
    language === 'ru'
      ? { record: 'Что', organisation: 'Организация', at: 'Создан', author: 'Кем создан', filter: 'Отбор' }
      : {
          record: 'Content',
          organisation: 'Organisation',
          at: 'Made at',
          author: 'Made by',
          filter: 'Filter',
        };
  return [
    [words.record, labels.many[language]],
    [words.organisation, organisation],
    [words.at, at.toISOString()],
    [words.author, author],
    ...filters.map(([name, value]) => [
      `${words.filter}: ${name}`,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  ];
}

function columnRows({ labels }: AnyRecord, columns: readonly FileColumn[], language: Language): string[][] {
  return columns.map(({ label, name, field, declared, words }) => [
    label[language],
    name,
    declared.options?.map((option) => words?.[option]?.[language] ?? option).join(', ') ?? declared.kind,
    labels.fields[field]?.help?.[language] ?? '',
  ]);
}
