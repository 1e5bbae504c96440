import type { FieldError } from '@marimo/problems';
import type { z } from 'zod';
import { MalformedRequest } from './platform/refusals.ts';

export type PointerOf = (path: readonly PropertyKey[]) => string;

/** How many a refusal names: a body can have a hundred thousand. */
export const mostFieldErrors = 50;

/** RFC 6901. */
export const pointerInBody: PointerOf = (path) => path.map((part) => `/${escaped(part)}`).join('');

/** Holds one row of a file or of a streamed body against its schema. Errors: MalformedRequest. */
export function checkRow<S extends z.ZodType>(schema: S, row: unknown): z.output<S> {
  const result = schema.safeParse(row);
  if (result.success) return result.data;
  throw new MalformedRequest({ errors: fieldErrors(result.error, pointerInBody) });
}

/** The first of them. */
export function fieldErrors({ issues }: z.ZodError, pointerOf: PointerOf): FieldError[] {
  const errors = issues.slice(0, mostFieldErrors).flatMap((issue) => errorsOf(issue, pointerOf));
  return errors.slice(0, mostFieldErrors);
}

function errorsOf(issue: z.core.$ZodIssue, pointerOf: PointerOf): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointerOf([...issue.path, key]), detail: 'unknown field' }));
  }
  return [{ pointer: pointerOf(issue.path), detail: issue.message }];
}

function escaped(part: PropertyKey): string {
  return String(part).replaceAll('~', '~0').replaceAll('/', '~1');
}
