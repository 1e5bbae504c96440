import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { lineOfText } from '../texts.ts';
import { createJournals, readJournals } from './permissions.ts';
import { JournalCode } from './texts.ts';

/** The general journal: every organisation has it from its first use of the ledger. */
export const generalJournalCode = 'GJ';

export const NewJournal = z.strictObject({ code: JournalCode, name: lineOfText(200) });
export type NewJournal = z.output<typeof NewJournal>;

export const Journal = z.strictObject({ journalId: Id, code: z.string(), name: z.string() });
export type Journal = z.infer<typeof Journal>;

export class JournalCodeTaken extends refusal(z.object({ journalCode: z.string() }), {
  code: 'accounting.journal-code-taken',
  kind: 'conflict',
  title: 'A journal with this code exists',
  detail: ({ journalCode }) => `Journal ${journalCode} exists with another name. Choose another code.`,
}) {}

export class JournalUnknown extends refusal(z.object({ journalCode: z.string() }), {
  code: 'accounting.journal-unknown',
  kind: 'refused',
  title: 'Journal not found',
  detail: ({ journalCode }) => `Create journal ${journalCode}, or correct the journal code.`,
}) {}

/** Subject: the journal. */
export const created = event('accounting.journal-created.v1', Journal);

const path = '/api/v1/accounting/journals';

export const create = endpoint({
  method: 'POST',
  path,
  summary: 'Creates a journal with its own numbering. Returns 200 if an identical one exists.',
  access: createJournals,
  body: NewJournal,
  replies: { 201: Journal, 200: Journal },
  refusals: [JournalCodeTaken],
});

export const list = endpoint({
  method: 'GET',
  path,
  summary: 'Lists the journals by code.',
  access: readJournals,
  replies: { 200: z.strictObject({ items: z.array(Journal) }) },
});
