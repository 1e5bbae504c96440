import type { ImportMapping } from '@marimo/contracts/records';
import type { Columns } from '@marimo/file-import';
import type { FileColumn } from './file-columns.ts';

/** How the cells of each column are read, by its name. */
export function cellColumns(columns: readonly FileColumn[]): Columns {
  return Object.fromEntries(
    columns.map(({ name, readAs, use }) => [name, use === 'passed over' ? 'text' : readAs]),
  );
}

/** A header is what a mapping says of it, a column's own name, or its label in either language, in any case. */
export function headerReader(
  columns: readonly FileColumn[],
  mapping: ImportMapping['columns'] | undefined,
): (header: string) => string | null | undefined {
  const names = new Map<string, string>();
  for (const { name, label } of columns) {
    for (const text of [label.ru, label.en]) if (!names.has(plain(text))) names.set(plain(text), name);
  }
  for (const { name } of columns) names.set(plain(name), name);
  const passedOver = new Set(columns.flatMap(({ name, use }) => (use === 'passed over' ? [name] : [])));
  const mapped = new Map(Object.entries(mapping ?? {}).map(([header, name]) => [plain(header), name]));
  return (header) => {
    const name = mapped.has(plain(header)) ? mapped.get(plain(header)) : names.get(plain(header));
    return name !== undefined && name !== null && passedOver.has(name) ? null : name;
  };
}

/** Without the star by which templates mark what must be filled in. */
function plain(header: string): string {
  return header
    .normalize('NFC')
    .replace(/\s*\*$/, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .toLowerCase()
    .replaceAll('ё', 'е');
}
