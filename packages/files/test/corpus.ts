import { deflateSync } from 'node:zlib';
import { zipOf } from './zip-of.ts';

/** A file as somebody might send it, and what must become of it. */
export interface Sample {
  readonly what: string;
  readonly name: string;
  readonly content: Buffer;
  /** The type found in it, or why it is refused. */
  readonly becomes: string;
  /** Under which name it is kept; as sent unless told. */
  readonly kept?: string;
}

const text = (content: string) => Buffer.from(content);
const bytes = (...parts: readonly (string | readonly number[])[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
  );
const padded = (content: Buffer, sizeBytes = 2_048) => Buffer.concat([content, Buffer.alloc(sizeBytes)]);

const png = bytes(
  [0x89],
  'PNG\r\n',
  [0x1a, 0x0a, 0, 0, 0, 13],
  'IHDR',
  [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0],
  'IDAT',
  [0, 0, 0, 0],
  [0, 0, 0, 0],
  'IEND',
  [0xae, 0x42, 0x60, 0x82],
);
const jpeg = bytes([0xff, 0xd8, 0xff, 0xe0, 0, 16], 'JFIF', [0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0xff, 0xd9]);
const gif = bytes('GIF89a', [1, 0, 1, 0, 0, 0, 0, 0x3b]);
const pdf = text('%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n');
const exe = padded(bytes('MZ', [0x90, 0, 3, 0, 0, 0]));
const elf = padded(bytes([0x7f], 'ELF', [2, 1, 1, 0]));
const html = text('<!DOCTYPE html>\n<html><body><script>alert(document.cookie)</script></body></html>');
const svg = text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
const wordTypes =
  '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>';
const sheetTypes = wordTypes
  .replace('/word/document.xml', '/xl/workbook.xml')
  .replace('wordprocessingml.document', 'spreadsheetml.sheet');
const word = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const sheet = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const openDocument = 'application/vnd.oasis.opendocument.text';
/** The harmless file that every scanner must find (eicar.org), put together here so that no scanner finds this source. */
export const eicar = text(`${'X5O!P%@AP[4\\PZX54(P^)7CC)7}$'}EICAR${'-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'}`);

const honest: readonly Sample[] = [
  { what: 'a picture', name: 'scan.png', content: png, becomes: 'image/png' },
  { what: 'a photograph', name: 'photo.jpg', content: jpeg, becomes: 'image/jpeg' },
  { what: 'a GIF', name: 'logo.gif', content: gif, becomes: 'image/gif' },
  { what: 'a PDF', name: 'invoice.pdf', content: pdf, becomes: 'application/pdf' },
  { what: 'a text', name: 'readme.txt', content: text('Hello\n'), becomes: 'text/plain' },
  {
    what: 'a Russian text',
    name: 'Договор.txt',
    content: text('Договор поставки\r\n'),
    becomes: 'text/plain',
  },
  {
    what: 'a text with a byte order mark',
    name: 'rows.csv',
    content: text('\ufeffcode;name\n1;Bolt\n'),
    becomes: 'text/plain',
  },
  {
    what: 'a text in windows-1251',
    name: 'old.txt',
    content: bytes([0xc4, 0xee, 0xe3, 0xee, 0xe2, 0xee, 0xf0]),
    becomes: 'application/octet-stream',
  },
  { what: 'JSON', name: 'data.json', content: text('{"a":1}'), becomes: 'text/plain' },
  {
    what: 'XML',
    name: 'invoice.xml',
    content: text('<?xml version="1.0" encoding="UTF-8"?>\n<invoice/>'),
    becomes: 'application/xml',
  },
  {
    what: 'a Word document',
    name: 'letter.docx',
    content: zipOf({ '[Content_Types].xml': wordTypes, 'word/document.xml': '<w/>' }),
    becomes: word,
  },
  {
    what: 'a workbook that tells its kind at the end',
    name: 'stock.xlsx',
    content: zipOf({ 'xl/workbook.xml': '<w/>', '[Content_Types].xml': sheetTypes }),
    becomes: sheet,
  },
  {
    what: 'an OpenDocument text',
    name: 'letter.odt',
    content: zipOf({ mimetype: openDocument, 'content.xml': '<o/>' }),
    becomes: openDocument,
  },
  { what: 'an archive', name: 'all.zip', content: zipOf({ 'a.txt': 'a' }), becomes: 'application/zip' },
  {
    what: 'nothing at all',
    name: 'empty.txt',
    content: Buffer.alloc(0),
    becomes: 'application/octet-stream',
  },
  {
    what: 'bytes of no known kind',
    name: 'data.bin',
    content: bytes([1, 2, 3, 4, 5, 6, 7, 8]),
    becomes: 'application/octet-stream',
  },
  { what: 'a file without an extension', name: 'LICENSE', content: text('MIT'), becomes: 'text/plain' },
];

const pages: readonly Sample[] = [
  { what: 'a page', name: 'page.html', content: html, becomes: 'text/html' },
  { what: 'a page that calls itself a text', name: 'page.txt', content: html, becomes: 'text/html' },
  { what: 'a page that calls itself a picture', name: 'page.png', content: html, becomes: 'text/html' },
  {
    what: 'a page behind a comment',
    name: 'page.htm',
    content: text('<!-- x -->\n\n<html><script>alert(1)</script>'),
    becomes: 'text/html',
  },
  {
    what: 'a script without a page',
    name: 'note.txt',
    content: text('Hello <script>alert(1)</script>'),
    becomes: 'text/html',
  },
  { what: 'a vector picture with a script', name: 'logo.svg', content: svg, becomes: 'image/svg+xml' },
  {
    what: 'one with an XML declaration',
    name: 'logo.svg',
    content: Buffer.concat([text('<?xml version="1.0"?>\n'), svg]),
    becomes: 'image/svg+xml',
  },
  { what: 'one that calls itself a PNG', name: 'logo.png', content: svg, becomes: 'image/svg+xml' },
  {
    what: 'XHTML',
    name: 'page.xml',
    content: text('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script/></html>'),
    becomes: 'text/html',
  },
];

const twoThings: readonly Sample[] = [
  {
    what: 'a GIF that is JavaScript too',
    name: 'a.gif',
    content: bytes('GIF89a/*', [0, 0, 0, 0x3b], '*/=1;alert(1)'),
    becomes: 'image/gif',
  },
  {
    what: 'a PNG with a page behind it',
    name: 'a.png',
    content: Buffer.concat([png, html]),
    becomes: 'image/png',
  },
  {
    what: 'a JPEG with an archive behind it',
    name: 'a.jpg',
    content: Buffer.concat([jpeg, zipOf({ 'a.txt': 'a' })]),
    becomes: 'image/jpeg',
  },
  {
    what: 'a PDF with a page in it',
    name: 'a.pdf',
    content: Buffer.concat([pdf, html]),
    becomes: 'application/pdf',
  },
  { what: 'a PNG that calls itself a page', name: 'a.html', content: png, becomes: 'image/png' },
  {
    what: 'an archive whose names lead elsewhere',
    name: 'slip.zip',
    content: zipOf({ '../../etc/passwd': 'x' }),
    becomes: 'application/zip',
  },
  {
    what: 'a picture of a billion pixels',
    name: 'flood.png',
    content: bytes(
      [0x89],
      'PNG\r\n',
      [0x1a, 0x0a, 0, 0, 0, 13],
      'IHDR',
      [0, 0, 0x80, 0, 0, 0, 0x80, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0],
      'IDAT',
    ),
    becomes: 'image/png',
  },
  {
    what: 'a bomb of zeros',
    name: 'bomb.z',
    content: deflateSync(Buffer.alloc(1_000_000)),
    becomes: 'application/octet-stream',
  },
  {
    what: 'an archive that ends in its middle',
    name: 'cut.zip',
    content: zipOf({ 'a.txt': 'a'.repeat(500) }).subarray(0, 200),
    becomes: 'application/zip',
  },
];

const programs: readonly Sample[] = [
  { what: 'a program', name: 'setup.exe', content: exe, becomes: 'program' },
  { what: 'a program that calls itself a PDF', name: 'invoice.pdf', content: exe, becomes: 'program' },
  { what: 'a program for Linux', name: 'tool', content: elf, becomes: 'program' },
  { what: 'a double extension', name: 'invoice.pdf.exe', content: text('x'), becomes: 'program' },
  { what: 'a double extension in capitals', name: 'Invoice.PDF.ScR', content: text('x'), becomes: 'program' },
  { what: 'an extension that ends in a dot', name: 'invoice.exe.', content: text('x'), becomes: 'program' },
  { what: 'an extension that ends in spaces', name: 'invoice.exe  ', content: text('x'), becomes: 'program' },
  {
    what: 'an extension that hides behind a sign without a shape',
    name: 'invoice.exe\u200b',
    content: text('x'),
    becomes: 'program',
  },
  {
    what: 'a name that reads from right to left',
    name: 'invoice\u202efdp.exe',
    content: text('x'),
    becomes: 'program',
  },
  { what: 'a script of Windows', name: 'update.bat', content: text('@echo off'), becomes: 'program' },
  { what: 'a script of the browser', name: 'invoice.js', content: text('alert(1)'), becomes: 'program' },
  { what: 'a shortcut', name: 'invoice.pdf.lnk', content: text('x'), becomes: 'program' },
  { what: 'a path to a program', name: '../../bin/run.sh', content: text('#!/bin/sh'), becomes: 'program' },
];

const names: readonly Sample[] = [
  { what: 'a path', name: '../../etc/passwd', content: text('x'), becomes: 'text/plain', kept: 'passwd' },
  {
    what: 'a path of Windows',
    name: 'C:\\fakepath\\scan.png',
    content: png,
    becomes: 'image/png',
    kept: 'scan.png',
  },
  {
    what: 'a name of 300 letters',
    name: `${'Ж'.repeat(300)}.pdf`,
    content: pdf,
    becomes: 'application/pdf',
    kept: `${'Ж'.repeat(195)}….pdf`,
  },
  {
    what: 'a text turned around',
    name: 'a\u202egpj.txt',
    content: text('x'),
    becomes: 'text/plain',
    kept: 'agpj.txt',
  },
  { what: 'an Arabic name', name: 'فاتورة.pdf', content: pdf, becomes: 'application/pdf' },
  {
    what: 'several lines',
    name: 'a\r\nset-cookie: b.txt',
    content: text('x'),
    becomes: 'text/plain',
    kept: 'aset-cookie_ b.txt',
  },
  {
    what: 'a device of Windows',
    name: 'con.txt',
    content: text('x'),
    becomes: 'text/plain',
    kept: '_con.txt',
  },
  { what: 'letters in two pieces', name: 'Й.txt', content: text('x'), becomes: 'text/plain', kept: 'Й.txt' },
  {
    what: 'nothing that can be seen',
    name: '\u200b.. ',
    content: text('x'),
    becomes: 'text/plain',
    kept: 'file',
  },
  { what: 'half a character', name: `a\ud83d.txt`, content: text('x'), becomes: 'text/plain', kept: 'a.txt' },
];

export const corpus: readonly Sample[] = [...honest, ...pages, ...twoThings, ...programs, ...names];
