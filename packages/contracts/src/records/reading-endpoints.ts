import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { PageQuery, pageOf } from '../list.ts';
import { MeasureTooLarge, TooManyGroups } from '../platform/record-refusals.ts';
import { Absent } from '../platform/refusals.ts';
import type { Fields } from './fields.ts';
import { listQuery, summaryQuery } from './list-query.ts';
import type { ListInput, ParsedQuery, SummaryInput } from './query-input.ts';
import { listedFields, type RecordDeclaration, type Transitions } from './record.ts';
import { idParams, RecordChange, RecordCount, SummaryGroup } from './shapes.ts';

export function readingEndpoints<
  const Name extends string,
  const F extends Fields,
  const State extends string,
  const T extends Transitions,
>(record: RecordDeclaration<Name, F, State, T>) {
  const { path, idField, permissions, value, listed, grammar, grouped, summed, labels } = record;
  const { read } = permissions;
  const names = labels.many.en.toLowerCase();
  const params = idParams<Name>(idField);
  return {
    list: endpoint({
      method: 'GET',
      path,
      summary: `Lists ${names}.`,
      access: read,
      query: listQuery(grammar, listedFields(record)) as z.ZodType<ParsedQuery, ListInput<F>>,
      replies: { 200: pageOf(listed).extend({ count: RecordCount.optional() }) },
    }),
    get: endpoint({
      method: 'GET',
      path: `${path}/{${idField}}`,
      summary: `Returns one of the ${names}. Send the ETag as If-Match when you change it.`,
      access: read,
      params,
      replies: { 200: value },
      refusals: [Absent],
    }),
    summary: endpoint({
      method: 'GET',
      path: `${path}/summary`,
      summary: `Counts ${names} in groups, with sums, averages, least and most.`,
      access: read,
      query: summaryQuery(grammar, grouped, summed) as z.ZodType<ParsedQuery, SummaryInput<F>>,
      replies: { 200: z.strictObject({ groups: z.array(SummaryGroup) }) },
      refusals: [TooManyGroups, MeasureTooLarge],
    }),
    history: endpoint({
      method: 'GET',
      path: `${path}/{${idField}}/history`,
      summary: 'Lists who changed what and when, newest first.',
      access: read,
      params,
      query: PageQuery,
      replies: { 200: pageOf(RecordChange) },
      refusals: [Absent],
    }),
  };
}
