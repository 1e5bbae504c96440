import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { FileContent } from '../file-content.ts';
import { Id } from '../ids.ts';
import { Absent } from '../platform/refusals.ts';
import type { Fields } from './fields.ts';
import type { RecordDeclaration, Transitions } from './record.ts';
import { idParams } from './shapes.ts';

const mostPrinted = 100;

/** The endpoints that print a record by one of its forms; the first is the usual one. */
export function printEndpointsOf<
  const Name extends string,
  const F extends Fields,
  const State extends string,
  const T extends Transitions,
  const Forms extends readonly [string, ...string[]],
>(record: RecordDeclaration<Name, F, State, T>, forms: Forms) {
  const { path, idField, permissions, labels } = record;
  const wanted = {
    form: z.enum(forms as readonly string[] as [string, ...string[]]).default(forms[0]),
    /** The language of the organisation unless told. */
    language: z.enum(['en', 'ru']).optional(),
  };
  return {
    print: endpoint({
      method: 'GET',
      path: `${path}/{${idField}}/print`,
      summary: `Returns one of the ${labels.many.en.toLowerCase()} as PDF.`,
      access: permissions.read,
      params: idParams<Name>(idField),
      query: z.strictObject(wanted),
      replies: { 200: FileContent },
      refusals: [Absent],
    }),
    printMany: endpoint({
      method: 'POST',
      path: `${path}/print`,
      summary: `Returns up to ${mostPrinted} of the ${labels.many.en.toLowerCase()} in one PDF, in the order given.`,
      access: permissions.read,
      body: z.strictObject({ ids: z.array(Id).min(1).max(mostPrinted), ...wanted }),
      replies: { 200: FileContent },
      refusals: [Absent],
      repeat: 'natural',
      deadlineMs: 60_000,
    }),
  };
}
