import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import {
  FieldFixed,
  KeyTaken,
  RecordArchived,
  RecordIdReused,
  ReferenceUnknown,
} from '../platform/record-refusals.ts';
import { Absent, Stale } from '../platform/refusals.ts';
import type { Fields } from './fields.ts';
import type { RecordDeclaration, Transitions } from './record.ts';
import { BulkResult, bulkBody, idParams, mostInBulk } from './shapes.ts';

export function writingEndpoints<
  const Name extends string,
  const F extends Fields,
  const State extends string,
  const T extends Transitions,
>(record: RecordDeclaration<Name, F, State, T>) {
  const { path, idField, permissions, value, draft, patch, labels } = record;
  const { create, change } = permissions;
  const one = `${path}/{${idField}}`;
  const params = idParams<Name>(idField);
  const names = labels.many.en.toLowerCase();
  const stored = [KeyTaken, ReferenceUnknown, ...record.refusals];
  const movable = { method: 'POST', access: change, params, replies: { 200: value } } as const;
  const refusals = [Absent, Stale, ...record.refusals];
  return {
    create: endpoint({
      method: 'POST',
      path,
      summary: `Creates ${articled(labels.one.en)}. The same id with the same content again returns 200.`,
      access: create,
      body: draft,
      replies: { 201: value, 200: value },
      refusals: [RecordIdReused, ...stored],
    }),
    change: endpoint({
      method: 'PATCH',
      path: one,
      summary: 'Changes the fields given. With If-Match, only if it has not changed since it was read.',
      access: change,
      params,
      body: patch,
      replies: { 200: value },
      refusals: [Absent, Stale, FieldFixed, RecordArchived, ...stored],
    }),
    archive: endpoint({
      ...movable,
      path: `${one}/archive`,
      summary: 'Archives it: it stays readable and can no longer be chosen.',
      refusals,
    }),
    restore: endpoint({
      ...movable,
      path: `${one}/restore`,
      summary: 'Takes it back from the archive.',
      refusals,
    }),
    bulk: endpoint({
      method: 'POST',
      path: `${path}/bulk`,
      summary: `Does the same to up to ${mostInBulk} of the ${names}, each with its own result.`,
      access: change,
      body: bulkBody(patch, record.transitions),
      replies: { 200: z.strictObject({ results: z.array(BulkResult) }) },
      deadlineMs: 60_000,
    }),
  };
}

function articled(name: string): string {
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name.toLowerCase()}`;
}
