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
): z.output<z.ZodTuple<Parts>> | undefined {
  if (after === undefined) return undefined;
  try {
    return z.tuple(parts).parse(JSON.parse(Buffer.from(after, 'base64url').toString()));
  } catch {
    const detail = 'must be the "next" of the page before';
    throw new MalformedRequest({ errors: [{ pointer: '?after', detail }] });
  }
}
