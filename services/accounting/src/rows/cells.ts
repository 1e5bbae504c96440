/**
 * The cells of one CSV row (RFC 4180), or null where its quotes are not closed. A row is one line: no text of ours may
 * hold a line break, and so a forgotten quote spoils one row instead of the rest of the file.
 */
export function cellsOf(row: string, separator: ',' | ';'): string[] | null {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    const quoted = row[at] === '"';
    const end = quoted ? closingQuote(row, at + 1) : endOfPlain(row, at, separator);
    if (end < 0) return null;
    cells.push(quoted ? row.slice(at + 1, end).replaceAll('""', '"') : row.slice(at, end));
    at = quoted ? end + 1 : end;
    if (at >= row.length) return cells;
    if (row[at] !== separator) return null;
    at += 1;
  }
}

function closingQuote(row: string, from: number): number {
  let at = row.indexOf('"', from);
  while (at >= 0 && row[at + 1] === '"') at = row.indexOf('"', at + 2);
  return at;
}

function endOfPlain(row: string, from: number, separator: string): number {
  const at = row.indexOf(separator, from);
  const end = at < 0 ? row.length : at;
  const quote = row.indexOf('"', from);
  return quote >= 0 && quote < end ? -1 : end;
}
