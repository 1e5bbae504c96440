import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Instant } from '../measures.ts';
import { JobStarted } from '../platform/jobs.ts';
import { lineOfText } from '../texts.ts';
import { configureAudit, readAudit } from './permissions.ts';

/** SHA-256 in lower-case hexadecimal. */
const Hash = z.string().regex(/^[0-9a-f]{64}$/);

export const AuditRecord = z.strictObject({
  /** 1, 2, 3 … within the organisation, without a gap. */
  sequence: z.int(),
  eventId: Id,
  type: z.string(),
  subject: z.string(),
  source: z.string(),
  /** Null for what a service began by itself. */
  actorId: Id.nullable(),
  requestId: z.string().nullable(),
  /** When it happened. */
  time: Instant,
  data: z.json(),
  previousHash: Hash,
  hash: Hash,
});
export type AuditRecord = z.infer<typeof AuditRecord>;

export const list = endpoint({
  method: 'GET',
  path: '/api/v1/workers/audit-records',
  summary: "Lists the organisation's audit records, newest first.",
  access: readAudit,
  query: PageQuery.extend({
    type: lineOfText(200).optional(),
    subject: lineOfText(200).optional(),
    actor: Id.optional(),
    /** Instants of the event: from the first, up to and without the second. */
    from: Instant.optional(),
    to: Instant.optional(),
  }),
  replies: { 200: pageOf(AuditRecord) },
});

export const AuditProblem = z.strictObject({
  /** The first record that is not as it was written, or that is not there. */
  sequence: z.int(),
  problem: z.enum(['edited', 'missing', 'out-of-place', 'tail-cut', 'tail-added']),
});

export const AuditVerification = z.strictObject({
  valid: z.boolean(),
  records: z.int(),
  head: z.strictObject({ sequence: z.int(), hash: Hash }),
  /** The last record that is no longer kept, which the first kept one is chained to. */
  start: z.strictObject({ sequence: z.int(), hash: Hash }).optional(),
  firstProblem: AuditProblem.optional(),
});
export type AuditVerification = z.infer<typeof AuditVerification>;

export const verify = endpoint({
  method: 'GET',
  path: '/api/v1/workers/audit-records/verify',
  summary: 'Verifies the whole chain and returns the first record that was tampered with.',
  access: readAudit,
  replies: { 200: AuditVerification },
  deadlineMs: 120_000,
});

export const AuditRetention = z.strictObject({
  /** From a year to a century; null for as long as the organisation is here. */
  keptMonths: z.int().min(12).max(1_200).nullable(),
});
export type AuditRetention = z.infer<typeof AuditRetention>;

const retentionPath = '/api/v1/workers/audit-retention';

export const getRetention = endpoint({
  method: 'GET',
  path: retentionPath,
  summary: 'Returns how long the audit is kept.',
  access: readAudit,
  replies: { 200: AuditRetention },
});

export const setRetention = endpoint({
  method: 'PUT',
  path: retentionPath,
  summary: 'Sets how long the audit is kept. Older records are deleted every night and cannot be restored.',
  access: configureAudit,
  body: AuditRetention,
  replies: { 200: AuditRetention },
  stepUp: true,
});

export const applyRetention = endpoint({
  method: 'POST',
  path: `${retentionPath}/apply`,
  summary:
    'Starts a job that deletes at once what is no longer kept, as happens every night. Returns the one that waits or runs, if there is one.',
  access: configureAudit,
  replies: { 202: JobStarted },
  stepUp: true,
});

/** Subject: the organisation. */
export const retentionChanged = event('workers.audit-retention-changed.v1', AuditRetention);

/** Subject: the organisation. Stays in the chain and says where its beginning was cut off. */
export const forgotten = event(
  'workers.audit-records-forgotten.v1',
  z.strictObject({ records: z.int(), upTo: z.int(), hash: Hash }),
);
