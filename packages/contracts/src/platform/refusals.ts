import { refusal } from '@marimo/problems';
import { z } from 'zod';

const NoFacts = z.object({});
const Errors = z.object({ errors: z.array(z.object({ pointer: z.string(), detail: z.string() })) });
const Limit = z.object({ limit: z.int() });

/** The refusals any endpoint can give; the kit and the gateway throw them. */
export class MalformedRequest extends refusal(Errors, {
  code: 'platform.malformed-request',
  kind: 'malformed',
  title: 'The request is malformed',
  detail: ({ errors }) => errors.map(({ pointer, detail }) => `${pointer || 'body'}: ${detail}`).join('; '),
}) {}

/** A row of an imported file, as the person sees it: rows counted as a spreadsheet does, columns by their name. */
export class FileRowRefused extends refusal(
  z.object({
    cells: z.array(z.object({ row: z.int(), column: z.string().nullable(), detail: z.string() })),
  }),
  {
    code: 'platform.file-row-refused',
    kind: 'malformed',
    title: 'A row of the file cannot be used',
    detail: ({ cells }) =>
      cells
        .map(({ row, column, detail }) => `Row ${row}${column === null ? '' : `, ${column}`}: ${detail}.`)
        .join(' '),
  },
) {}

export class Unauthenticated extends refusal(NoFacts, {
  code: 'platform.unauthenticated',
  kind: 'unauthenticated',
  title: 'Authentication required',
  detail: () =>
    'Send a valid access token as "Authorization: Bearer …"; get one from POST /api/v1/users/login.',
}) {}

/** RFC 9470: the token is good, but the proof of identity behind it is too old for this. */
export class StepUpRequired extends refusal(z.object({ maxAgeSeconds: z.int() }), {
  code: 'platform.step-up-required',
  kind: 'unauthenticated',
  title: 'Recent authentication required',
  detail: () =>
    'Send your password or second factor to POST /api/v1/users/step-up and repeat with the new token.',
}) {}

export class Forbidden extends refusal(z.object({ permission: z.string().nullable() }), {
  code: 'platform.forbidden',
  kind: 'forbidden',
  title: 'Permission denied',
  detail: ({ permission }) =>
    permission === null
      ? 'This route is closed.'
      : `This needs the permission ${permission}; an administrator of your organisation can grant it.`,
}) {}

export class Absent extends refusal(z.object({ resource: z.string() }), {
  code: 'platform.absent',
  kind: 'absent',
  title: 'Not found',
  detail: ({ resource }) => `The ${resource} does not exist, or you have no access to it.`,
}) {}

export class MethodNotAllowed extends refusal(z.object({ allowed: z.array(z.string()) }), {
  code: 'platform.method-not-allowed',
  kind: 'notAllowed',
  title: 'Method not allowed',
  detail: ({ allowed }) => `Use one of ${allowed.join(', ')}.`,
}) {}

export class IdempotencyKeyReused extends refusal(NoFacts, {
  code: 'platform.idempotency-key-reused',
  kind: 'refused',
  title: 'This Idempotency-Key was used for another request',
  detail: () => 'Send this request with a new key.',
}) {}

export class RequestStillRunning extends refusal(NoFacts, {
  code: 'platform.request-still-running',
  kind: 'conflict',
  title: 'The first request with this Idempotency-Key is still running',
  detail: () => 'Retry shortly with the same key to get its reply.',
}) {}

export class Stale extends refusal(
  z.object({
    etag: z.string(),
    /** Of a record that keeps its history: who has changed which fields since the version of If-Match. */
    changes: z
      .array(z.object({ version: z.int(), by: z.string(), at: z.string(), fields: z.array(z.string()) }))
      .optional(),
  }),
  {
    code: 'platform.stale',
    kind: 'stale',
    title: 'The resource has changed since you read it',
    detail: ({ etag }) => `Read it again and repeat the change with If-Match: ${etag}.`,
  },
) {}

export class BodyTooLarge extends refusal(Limit, {
  code: 'platform.body-too-large',
  kind: 'tooLarge',
  title: 'The request body is too large',
  detail: ({ limit }) => `Send at most ${limit} bytes.`,
}) {}

export class UnsupportedMediaType extends refusal(
  z.object({
    /** Which of the three this route does not read. */
    unsupported: z.enum(['media type', 'character set', 'content encoding']),
    /** As the request named it; empty where it named none. */
    sent: z.string(),
    accepted: z.array(z.string()),
  }),
  {
    code: 'platform.unsupported-media-type',
    kind: 'unsupported',
    title: 'Unsupported media type, character set or content encoding',
    detail: ({ unsupported, sent, accepted }) =>
      `The ${unsupported} ${sent === '' ? 'is missing' : `${sent} is not supported`}. Send ${accepted.join(' or ')}.`,
  },
) {}

export class HeadersTooLarge extends refusal(Limit, {
  code: 'platform.headers-too-large',
  kind: 'headersTooLarge',
  title: 'The headers are too large',
  detail: ({ limit }) => `Send at most ${limit} bytes of headers.`,
}) {}

export class TooManyRequests extends refusal(Limit, {
  code: 'platform.too-many-requests',
  kind: 'busy',
  title: 'Too many requests',
  detail: ({ limit }) => `The limit is ${limit} at a time. Retry after the time given in Retry-After.`,
}) {}

export class BadUpstream extends refusal(z.object({ service: z.string() }), {
  code: 'platform.bad-upstream',
  kind: 'badUpstream',
  title: 'Bad response from an upstream service',
  detail: ({ service }) =>
    `${service} closed the connection. Retry the request; to retry a write safely, send an Idempotency-Key.`,
}) {}

export class Unavailable extends refusal(z.object({ service: z.string() }), {
  code: 'platform.unavailable',
  kind: 'unavailable',
  title: 'Temporarily unavailable',
  detail: ({ service }) => `${service} cannot be reached. Nothing was changed; try again shortly.`,
}) {}

export class DeadlineExceeded extends refusal(NoFacts, {
  code: 'platform.deadline-exceeded',
  kind: 'timedOut',
  title: 'The request timed out',
  detail: () =>
    'Processing was cancelled. Retry the request; to retry a write safely, send an Idempotency-Key.',
}) {}

/** The server is away, starting, full, or too contended. `outcome` says whether a repeat could write twice. */
export class DatabaseUnavailable extends refusal(
  z.object({ outcome: z.enum(['nothing-written', 'unknown']) }),
  {
    code: 'platform.database-unavailable',
    kind: 'unavailable',
    title: 'The database is unavailable',
    detail: ({ outcome }) =>
      outcome === 'nothing-written'
        ? 'Nothing was written; try again shortly.'
        : 'The connection was lost during commit. Retry with the same Idempotency-Key to learn the outcome.',
  },
) {}

/** The deadline passed, or the caller went away, before the transaction was done; it was rolled back. */
export class StatementCancelled extends refusal(z.object({}), {
  code: 'platform.statement-cancelled',
  kind: 'timedOut',
  title: 'The database query timed out',
  detail: () => 'Nothing was written; try again with more time or with less work.',
}) {}
