import { z } from 'zod';
import { Id } from '../ids.ts';
import { lineOfText } from '../texts.ts';

/** The organisation's own text, such as `10.01` or `Касса`; upper and lower case differ. */
export const AccountCode = lineOfText(50);

/** Short, because it begins every number of the journal's entries: `GJ-2026-000123`. */
export const JournalCode = z
  .string()
  .regex(/^[A-Z0-9]{1,10}$/, 'must be 1 to 10 capital Latin letters or digits');

/** UUIDs compare as text, so each has one spelling. */
export const LowerCaseId = Id.toLowerCase();
