import { MalformedRequest } from '@marimo/contracts';
import { z } from 'zod';

/** The `next` of a page: the sort key of its last item, as text that callers hand back without reading it. */
export function cursorOf(...key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** The sort key in `?after=`; undefined on the first page. Its parts go into SQL, so each is checked. */
export function readCursor<Parts extends readonly [z.ZodType, ...z.ZodType[]]>(
  after: string | undefined,
  ...parts: Parts
): { readonly [Place in keyof Parts]: z.output<Parts[Place]> } | undefined {
  if (after === undefined) return undefined;
  try {
    const key: unknown = JSON.parse(Buffer.from(after, 'base64url').toString());
    return z.tuple(parts).parse(key) as { [Place in keyof Parts]: z.output<Parts[Place]> };
  } catch {
    const detail = 'must be the "next" of the page before';
    throw new MalformedRequest({ errors: [{ pointer: '?after', detail }] });
  }
}
