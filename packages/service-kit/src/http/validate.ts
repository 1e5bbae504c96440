import { type AnyEndpoint, MalformedRequest } from '@marimo/contracts';
import type { FieldError } from '@marimo/problems';
import { z } from 'zod';
import { isStorable } from './json.ts';

export interface RawInput {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly json: unknown;
}

export interface CheckedInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

type PointerOf = (path: readonly PropertyKey[]) => string;

const mostErrors = 50;
const nothing = z.strictObject({});
const inBody: PointerOf = (path) => path.map((part) => `/${escaped(part)}`).join('');
const inQuery: PointerOf = ([name, ...rest]) => `?${String(name ?? '')}${inBody(rest)}`;
const inPath: PointerOf = ([name]) => `{${String(name ?? '')}}`;

/** Holds the request against its contract; every field that is wrong is named at once. */
export function checkInput({ params, query, body }: AnyEndpoint, raw: RawInput): CheckedInput {
  const errors: FieldError[] = [];
  const check = (schema: z.ZodType, value: unknown, pointerOf: PointerOf) => {
    const result = schema.safeParse(value);
    if (!result.success) errors.push(...fieldErrors(result.error, pointerOf));
    return result.data;
  };

  const checked = {
    params: check(params ?? nothing, storable(raw.params), inPath),
    query: check(query ?? nothing, storable(raw.query), inQuery),
    body: body === undefined || 'stream' in body ? undefined : check(body, raw.json, inBody),
  };
  if (errors.length > 0) throw new MalformedRequest({ errors: errors.slice(0, mostErrors) });
  return checked;
}

/** Holds one row of a streamed body against its schema, as `checkInput` does with a whole body. */
export function checkRow<S extends z.ZodType>(schema: S, row: unknown): z.output<S> {
  const result = schema.safeParse(row);
  if (result.success) return result.data;
  throw new MalformedRequest({ errors: fieldErrors(result.error, inBody) });
}

/** The first of them: a body can have a hundred thousand. */
function fieldErrors({ issues }: z.ZodError, pointerOf: PointerOf): FieldError[] {
  const errors = issues.slice(0, mostErrors).flatMap((issue) => errorsOf(issue, pointerOf));
  return errors.slice(0, mostErrors);
}

function errorsOf(issue: z.core.$ZodIssue, pointerOf: PointerOf): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointerOf([...issue.path, key]), detail: 'unknown field' }));
  }
  return [{ pointer: pointerOf(issue.path), detail: issue.message }];
}

/** RFC 6901. */
function escaped(part: PropertyKey): string {
  return String(part).replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The address is text from outside too: `%00` in it must not reach the database. */
function storable(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  for (const [name, value] of Object.entries(fields)) {
    if (![name, value].flat().every((text) => isStorable(String(text)))) {
      throw new MalformedRequest({
        errors: [{ pointer: '', detail: 'the address must be well-formed Unicode without NUL characters' }],
      });
    }
  }
  return fields;
}
