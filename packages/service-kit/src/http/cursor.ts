import { isStorable, MalformedRequest } from '@marimo/contracts';
import { z } from 'zod';

/** The `next` of a page: the sort key of its last item, as text that callers hand back without reading it. */
export function cursorOf(...key: readonly (string | number | Date)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** The sort key in `?after=`; undefined on the first page. Its parts go into SQL, so each is checked. */
export function readCursor<Parts extends readonly [z.ZodType, ...z.ZodType[]]>(
  after: string | undefined,
  ...parts: Parts
): { readonly [Place in keyof Parts]: z.output<Parts[Place]> } | undefined {
  if (after === undefined) return undefined;
  try {
    const key: unknown = JSON.parse(Buffer.from(after, 'base64url').toString(), refuseUnreadable);
    return z.tuple(parts).parse(key) as { [Place in keyof Parts]: z.output<Parts[Place]> };
  } catch {
    const detail = 'must be the "next" of the page before';
    throw new MalformedRequest({ errors: [{ pointer: '?after', detail }] });
  }
}

/** PostgreSQL's calendar has no year 0, though RFC 3339 does; nor does it read an instant of any length. */
const noInstant = /^(0000-\d\d-\d\dT[\d:.]+|\d{4}-\d\d-\d\dT[\d:]+\.\d{10,})Z$/;

/** What was forged so that PostgreSQL cannot even read it. */
function refuseUnreadable(_: string, value: unknown): unknown {
  if (typeof value === 'string' && (!isStorable(value) || noInstant.test(value)))
    throw new Error('unreadable');
  return value;
}
