import type { Disposition } from './links.ts';

/** What a browser shows without running any of it. SVG and HTML can hold scripts and are not among them. */
const shownSafely = new Set([
  'application/pdf',
  'image/gif',
  'image/jpeg',
  'image/png',
  'image/webp',
  'text/plain',
]);

/** `inline` only where it was asked for and nothing can run; everything else is saved. */
export function dispositionOf(wanted: Disposition, contentType: string): Disposition {
  return wanted === 'inline' && shownSafely.has(contentType) ? 'inline' : 'attachment';
}

/** The header (RFC 6266): the name in UTF-8 (RFC 8187), and a plain one for programs that know no better. */
export function contentDisposition(disposition: Disposition, name: string): string {
  const plain = name.replaceAll(/[^\x20-\x7e]/g, '_').replaceAll(/["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${disposition}; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/** All texts we know are UTF-8; a browser that is not told may guess otherwise. */
export function contentTypeHeader(contentType: string): string {
  return contentType.startsWith('text/') ? `${contentType}; charset=utf-8` : contentType;
}
