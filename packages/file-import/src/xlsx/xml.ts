const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The text of an element or attribute. Entities that a document declares itself are none of a workbook. */
export function textOf(xml: string): string {
  if (!xml.includes('&') && !xml.includes('_x') && !xml.includes('<![')) return xml;
  return xml
    .replaceAll(/<!\[CDATA\[([\s\S]*?)\]\]>|&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w+));/gi, reference)
    .replaceAll(/_x([\dA-Fa-f]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function reference(whole: string, cdata?: string, hex?: string, code?: string, name?: string): string {
  if (cdata !== undefined) return cdata;
  if (name !== undefined) return named[name] ?? whole;
  const point = hex === undefined ? Number.parseInt(code ?? '', 10) : Number.parseInt(hex, 16);
  return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
}

/** Of all runs, without the readings that Japanese text can have beside it. */
export function richText(xml: string): string {
  const spoken = xml.includes('rPh') ? xml.replaceAll(/<(?:\w+:)?rPh\b[\s\S]*?<\/(?:\w+:)?rPh>/g, '') : xml;
  let text = '';
  for (const [, run = ''] of spoken.matchAll(/<(?:\w+:)?t(?:\s[^>]*)?>([\s\S]*?)<\/(?:\w+:)?t>/g)) {
    text += textOf(run);
  }
  return text;
}

const patterns = new Map<string, RegExp>();

export function attributeOf(attributes: string, name: string): string | undefined {
  const pattern = patterns.get(name) ?? new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`);
  patterns.set(name, pattern);
  const found = pattern.exec(attributes);
  return found === null ? undefined : textOf(found[1] ?? found[2] ?? '');
}

/** The attributes of each element with this local name, whatever its prefix. */
export function elementsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<(?:\\w+:)?${name}(?=[\\s/>])([^>]*)>`, 'g'))].map(
    ([, attributes = '']) => attributes,
  );
}

/**
 * The content of each element of that name as the text arrives, without holding more than one of them; an element with
 * nothing in it is empty text. Elements of that name do not stand in each other.
 */
export async function* eachElement(
  text: AsyncIterable<string>,
  name: string,
  tooLong: () => Error,
): AsyncGenerator<{ readonly attributes: string; readonly content: string }, void, undefined> {
  const element = new RegExp(
    `<(?:\\w+:)?${name}(?=[\\s/>])([^>]*?)(?:/>|>([\\s\\S]*?)</(?:\\w+:)?${name}\\s*>)`,
    'g',
  );
  let waiting = '';
  let enough = 0;
  for await (const piece of text) {
    waiting += piece;
    if (waiting.length < enough) continue;
    let taken = 0;
    element.lastIndex = 0;
    for (let found = element.exec(waiting); found !== null; found = element.exec(waiting)) {
      taken = element.lastIndex;
      yield { attributes: found[1] ?? '', content: found[2] ?? '' };
    }
    waiting = waiting.slice(taken);
    if (waiting.length > longestElement) throw tooLong();
    enough = taken === 0 ? waiting.length * 2 : 0;
  }
}

const longestElement = 16 * 1024 * 1024;
