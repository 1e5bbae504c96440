import { malformed } from '../header.ts';
import type { SpooledFile } from '../spool.ts';
import { type Archive, openArchive } from './archive.ts';
import { type Cell, type SheetContext, sheetCells } from './cells.ts';
import { attributeOf, eachElement, elementsOf, richText } from './xml.ts';

export interface WorkbookRow {
  /** As the spreadsheet counts it. */
  readonly row: number;
  readonly cells: readonly Cell[];
}

const smallPartBytes = 16 * 1024 * 1024;
const stringsBytes = 256 * 1024 * 1024;
const sheetBytes = 2 * 1024 * 1024 * 1024;
const tooLong = () => malformed('a row of the workbook is too long');

/** The rows of the first sheet that people see. Errors: MalformedRequest. */
export async function openWorkbook(
  file: SpooledFile,
): Promise<{ readonly sheet: string; rows(): AsyncGenerator<WorkbookRow, void, undefined> }> {
  const archive = await openArchive(file);
  if (!archive.has('xl/workbook.xml')) {
    throw malformed('it is no Excel workbook (.xlsx); save it as one, or as "CSV UTF-8"');
  }
  const book = await whole(archive, 'xl/workbook.xml');
  const sheets = elementsOf(book, 'sheet');
  const sheet = sheets.find((each) => (attributeOf(each, 'state') ?? 'visible') === 'visible') ?? sheets[0];
  const targets = await targetsOf(archive);
  const path = targets.get(attributeOf(sheet ?? '', '(?:\\w+:)?id') ?? '');
  if (sheet === undefined || path === undefined) throw malformed('the workbook has no sheet');
  const context: SheetContext = {
    strings: await sharedStrings(archive),
    dateStyles: await dateStyles(archive),
    countsFrom1904: elementsOf(book, 'workbookPr').some((each) =>
      ['1', 'true'].includes(attributeOf(each, 'date1904') ?? ''),
    ),
  };
  return {
    sheet: attributeOf(sheet, 'name') ?? '',
    async *rows() {
      let last = 0;
      for await (const { attributes, content } of eachElement(
        archive.text(path, sheetBytes),
        'row',
        tooLong,
      )) {
        const row = Number.parseInt(attributeOf(attributes, 'r') ?? '', 10) || last + 1;
        last = row;
        yield { row, cells: sheetCells(content, context) };
      }
    },
  };
}

async function whole(archive: Archive, name: string): Promise<string> {
  let text = '';
  for await (const piece of archive.text(name, smallPartBytes)) text += piece;
  return text;
}

async function targetsOf(archive: Archive): Promise<Map<string, string>> {
  const xml = await whole(archive, 'xl/_rels/workbook.xml.rels');
  return new Map(
    elementsOf(xml, 'Relationship').map((each) => {
      const target = attributeOf(each, 'Target') ?? '';
      return [attributeOf(each, 'Id') ?? '', target.startsWith('/') ? target.slice(1) : `xl/${target}`];
    }),
  );
}

async function sharedStrings(archive: Archive): Promise<string[]> {
  const strings: string[] = [];
  if (!archive.has('xl/sharedStrings.xml')) return strings;
  const xml = archive.text('xl/sharedStrings.xml', stringsBytes);
  for await (const { content } of eachElement(xml, 'si', tooLong)) strings.push(richText(content));
  return strings;
}

/** Built-in formats of days and times; 45 to 47 are durations, and 27 to 36 and 50 to 58 those of East Asia. */
const isDateFormat = (id: number) =>
  (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);

/** Which of the cells' styles show a number as a day or a moment. */
async function dateStyles(archive: Archive): Promise<ReadonlySet<number>> {
  if (!archive.has('xl/styles.xml')) return new Set();
  const xml = await whole(archive, 'xl/styles.xml');
  const own = new Map(
    elementsOf(xml, 'numFmt').map((each) => [
      attributeOf(each, 'numFmtId') ?? '',
      showsDate(attributeOf(each, 'formatCode') ?? ''),
    ]),
  );
  const cellStyles = /<(?:\w+:)?cellXfs\b[\s\S]*?<\/(?:\w+:)?cellXfs>/.exec(xml)?.[0] ?? '';
  const dated = elementsOf(cellStyles, 'xf').flatMap((each, place) => {
    const id = attributeOf(each, 'numFmtId') ?? '0';
    return (own.get(id) ?? isDateFormat(Number.parseInt(id, 10))) ? [place] : [];
  });
  return new Set(dated);
}

/** Days, months, years or hours outside of quotes, colours and escapes. */
function showsDate(format: string): boolean {
  return /[dmyhs]/i.test(format.replaceAll(/"[^"]*"|\[[^\]]*\]|\\.|_.|General|Основной/gi, ''));
}
