import {
  type ExportColumn,
  type ExportRow,
  escaped,
  lettersOf,
  type OffsetMs,
  rowXml,
  styles,
  textXml,
} from './sheet.ts';
import { ZipWriter } from './zip.ts';

/** A workbook: the rows on its first sheet, what they are on its last. */
export interface Workbook {
  readonly title: string;
  readonly author: string;
  readonly createdAt: Date;
  readonly columns: readonly ExportColumn[];
  readonly about: { readonly name: string; readonly rows: readonly (readonly string[])[] };
  /** The clock that moments are written by. */
  readonly offsetMs: OffsetMs;
}

const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const relations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const packageRelations = 'http://schemas.openxmlformats.org/package/2006/relationships';
const types = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** What a sheet of Excel has, and less than what an entry of a ZIP archive can hold; more goes on on the next sheet. */
const mostRows = 1_048_576;
const mostCharacters = 1_000_000_000;

/** XLSX (ECMA-376) of the rows, written as they are read. */
export async function* workbookOf(
  workbook: Workbook,
  pages: AsyncIterable<readonly ExportRow[]>,
): AsyncGenerator<Buffer, void, undefined> {
  const zip = new ZipWriter();
  const names: string[] = [];
  const rows = new RowsLeft(pages);
  do {
    names.push(sheetName(workbook.title, names.length));
    yield* zip.add(`xl/worksheets/sheet${names.length}.xml`, dataSheet(workbook, rows));
  } while (await rows.any());
  names.push(sheetName(workbook.about.name, 0, names));
  yield* zip.add(`xl/worksheets/sheet${names.length}.xml`, aboutSheet(workbook));
  for (const [name, xml] of Object.entries(parts(workbook, names))) yield* zip.add(name, [xml]);
  yield zip.end();
}

/** Pages of which a sheet takes as many rows as it holds. */
class RowsLeft {
  readonly #pages: AsyncIterator<readonly ExportRow[]>;
  #page: readonly ExportRow[] = [];

  constructor(pages: AsyncIterable<readonly ExportRow[]>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  async any(): Promise<boolean> {
    while (this.#page.length === 0) {
      const next = await this.#pages.next();
      if (next.done === true) return false;
      this.#page = next.value;
    }
    return true;
  }

  take(most: number): readonly ExportRow[] {
    const taken = this.#page.slice(0, most);
    this.#page = this.#page.slice(most);
    return taken;
  }
}

async function* dataSheet({ columns, offsetMs }: Workbook, rows: RowsLeft): AsyncGenerator<string> {
  const letters = lettersOf(columns.length);
  const kinds = columns.map(({ kind }) => kind);
  const widths = columns
    .map(({ header }, place) => {
      const width = Math.min(40, Math.max(12, header.length + 3));
      return `<col min="${place + 1}" max="${place + 1}" width="${width}" customWidth="1"/>`;
    })
    .join('');
  const pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>';
  const views = `<sheetViews><sheetView workbookViewId="0">${pane}</sheetView></sheetViews>`;
  const header = columns.map(({ header: name }, place) => textXml(`${letters[place]}1`, name, styles.header));
  yield `${declaration}<worksheet xmlns="${main}">${views}<cols>${widths}</cols><sheetData><row r="1">${header.join('')}</row>`;
  let number = 1;
  let characters = 0;
  while (number < mostRows && characters < mostCharacters && (await rows.any())) {
    let xml = '';
    for (const row of rows.take(mostRows - number)) {
      number += 1;
      xml += rowXml(number, row, kinds, letters, offsetMs);
    }
    characters += xml.length;
    yield xml;
  }
  yield '</sheetData></worksheet>';
}

function* aboutSheet({ about }: Workbook): Generator<string> {
  const letters = lettersOf(Math.max(1, ...about.rows.map((row) => row.length)));
  const rows = about.rows.map((row, place) => {
    const cells = row.map((text, column) => textXml(`${letters[column]}${place + 1}`, text, styles.plain));
    return `<row r="${place + 1}">${cells.join('')}</row>`;
  });
  const widths = '<cols><col min="1" max="8" width="30" customWidth="1"/></cols>';
  yield `${declaration}<worksheet xmlns="${main}">${widths}<sheetData>${rows.join('')}</sheetData></worksheet>`;
}

/** At most 31 characters, without some signs, each name once. */
function sheetName(name: string, before: number, taken: readonly string[] = []): string {
  const clean =
    name
      .replaceAll(/[[\]:*?/\\']/g, ' ')
      .trim()
      .slice(0, 25) || 'Sheet';
  const own = before === 0 ? clean : `${clean} (${before + 1})`;
  return taken.includes(own) ? `${own} (2)` : own;
}

function parts({ title, author, createdAt }: Workbook, names: readonly string[]): Record<string, string> {
  const sheets = names.map((name, place) => ({ name: escaped(name), number: place + 1 }));
  const sheetType = (number: number) =>
    `<Override PartName="/xl/worksheets/sheet${number}.xml" ContentType="${types}.worksheet+xml"/>`;
  const core = 'http://schemas.openxmlformats.org/package/2006/metadata/core-properties';
  return {
    'xl/workbook.xml': `${declaration}<workbook xmlns="${main}" xmlns:r="${relations}"><sheets>${sheets
      .map(({ name, number }) => `<sheet name="${name}" sheetId="${number}" r:id="rId${number}"/>`)
      .join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `${declaration}<Relationships xmlns="${packageRelations}">${sheets
      .map(
        ({ number }) =>
          `<Relationship Id="rId${number}" Type="${relations}/worksheet" Target="worksheets/sheet${number}.xml"/>`,
      )
      .join(
        '',
      )}<Relationship Id="rIdStyles" Type="${relations}/styles" Target="styles.xml"/></Relationships>`,
    'xl/styles.xml': declaration + stylesXml,
    'docProps/core.xml': `${declaration}<cp:coreProperties xmlns:cp="${core}" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>${escaped(title)}</dc:title><dc:creator>${escaped(author)}</dc:creator><dcterms:created xsi:type="dcterms:W3CDTF">${createdAt.toISOString()}</dcterms:created></cp:coreProperties>`,
    '_rels/.rels': `${declaration}<Relationships xmlns="${packageRelations}"><Relationship Id="rId1" Type="${relations}/officeDocument" Target="xl/workbook.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>`,
    '[Content_Types].xml': `${declaration}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${types}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${types}.styles+xml"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>${sheets.map(({ number }) => sheetType(number)).join('')}</Types>`,
  };
}

/** Built-in formats, which Excel shows as the reader's country writes them: 4 an amount, 14 a day, 22 a moment. */
const stylesXml = `<styleSheet xmlns="${main}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="6"><xf xfId="0"/><xf xfId="0" fontId="1" applyFont="1"/><xf xfId="0" numFmtId="4" applyNumberFormat="1"/><xf xfId="0" numFmtId="14" applyNumberFormat="1"/><xf xfId="0" numFmtId="22" applyNumberFormat="1"/><xf xfId="0" quotePrefix="1"/></cellXfs></styleSheet>`;
