import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Absent } from '../platform/refusals.ts';
import type { ServiceName } from '../services.ts';
import { lineOfText } from '../texts.ts';

/** From a header of a file to a column of the record's file, by its name; null for one that is not read. */
export const ImportMapping = z.strictObject({
  name: lineOfText(100),
  columns: z
    .record(z.string().trim().min(1).max(200), z.string().max(100).nullable())
    .refine((columns) => Object.keys(columns).length <= 500, { error: 'must name at most 500 columns' }),
});
export type ImportMapping = z.output<typeof ImportMapping>;

/**
 * The saved mappings of an organisation, one set for each record. Who may import the record may use and change them. The
 * contract of a service whose records are imported hands it on as `imports`.
 */
export function importsOf(service: ServiceName) {
  const path = `/api/v1/${service}/import-mappings/{record}`;
  const record = z.string().regex(/^[a-z][a-z-]{0,60}$/);
  const one = { path: `${path}/{name}`, params: z.strictObject({ record, name: lineOfText(100) }) };
  return {
    listMappings: endpoint({
      method: 'GET',
      path,
      summary:
        'Lists the saved mappings of a record: which header of a file stands for which of its columns.',
      access: 'signed-in',
      params: z.strictObject({ record }),
      replies: { 200: z.strictObject({ items: z.array(ImportMapping) }) },
      refusals: [Absent],
    }),
    saveMapping: endpoint({
      ...one,
      method: 'PUT',
      summary: 'Saves a mapping under its name, in place of the one that had it.',
      access: 'signed-in',
      body: ImportMapping.pick({ columns: true }),
      replies: { 200: ImportMapping },
      refusals: [Absent],
    }),
    deleteMapping: endpoint({
      ...one,
      method: 'DELETE',
      summary: 'Deletes a saved mapping.',
      access: 'signed-in',
      replies: { 204: z.null() },
      refusals: [Absent],
    }),
  };
}
export type ImportsContract = ReturnType<typeof importsOf>;
