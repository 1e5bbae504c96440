import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Day, Instant } from '../measures.ts';
import { permission, type Text } from '../permission.ts';
import type { ServiceName } from '../services.ts';
import { lineOfText } from '../texts.ts';
import { NumbersWouldHaveGap, NumbersWouldRepeat } from './document-refusals.ts';
import { Absent, Stale } from './refusals.ts';

/** Numbers that documents are given one after the other. */
export interface NumberSeries {
  /** `sales-invoice`, within its service. */
  readonly name: string;
  readonly text: Text;
  /** The usual pattern, such as `INV-{year}-{000000}`; an organisation may set another. */
  readonly pattern: string;
  /**
   * `none`: the law requires numbers without gaps, so each number waits until the previous one is committed or given back.
   * `allowed`: taking a number never waits; numbers may be skipped or used out of sequence.
   */
  readonly gaps: 'none' | 'allowed';
}

const longestNumber = 40;

/** Letters, digits, `{year}`, `{month}` and one counter such as `{0000}`, whose zeros say how many digits it has at least. */
export const NumberPattern = lineOfText(longestNumber).superRefine((given, context) => {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message, input: given });
  const rest = given.replace(/\{(?:year|month|0{1,12})\}/g, '');
  if (!/^[\p{L}0-9 ._/№#-]*$/u.test(rest))
    refuse('may have {year}, {month}, one counter such as {0000}, letters, digits and - . _ / № #');
  const counters = given.match(/\{0+\}/g) ?? [];
  if (counters.length !== 1) refuse('must have one counter, such as {0000}');
  // Otherwise 2026 and 1 followed by 202 and 61 would be one number.
  if (/[0-9}]\{0|0\}[0-9{]/.test(given))
    refuse('must have something other than digits before and after the counter');
  if (given.includes('{month}') && !given.includes('{year}')) refuse('must have {year} where it has {month}');
});

/** A series as an organisation has it. */
export const NumberSeriesState = z.strictObject({
  series: z.string(),
  text: z.strictObject({ en: z.string(), ru: z.string() }),
  pattern: z.string(),
  usualPattern: z.string(),
  gaps: z.enum(['none', 'allowed']),
  /** What a document of the day asked for would get now. */
  next: z.string(),
  version: z.int(),
});
export type NumberSeriesState = z.output<typeof NumberSeriesState>;

export const NumberSeriesChange = z.strictObject({
  series: z.string(),
  version: z.int(),
  at: Instant,
  by: Id,
  pattern: z.string(),
  /** The next number that was set with it. */
  next: z.string().nullable(),
});
export type NumberSeriesChange = z.output<typeof NumberSeriesChange>;

/** How organisations see and set the number series of a service. Its contract hands it on as `numberSeries`. */
export function numberSeriesOf<const Series extends readonly NumberSeries[]>(
  service: ServiceName,
  series: Series,
) {
  const path = `/api/v1/${service}/number-series`;
  const read = permission(`${service}.number-series.read`, {
    en: 'Number series: view',
    ru: 'Нумераторы: просмотр',
  });
  const change = permission(`${service}.number-series.change`, {
    en: 'Number series: change',
    ru: 'Нумераторы: изменение',
  });
  const params = z.strictObject({ series: z.enum(series.map(({ name }) => name) as [string, ...string[]]) });
  return {
    series,
    permissions: { read, change },
    list: endpoint({
      method: 'GET',
      path,
      summary: 'Lists the number series, with the number that a document of a day would get next.',
      access: read,
      query: z.strictObject({ date: Day.optional() }),
      replies: { 200: z.strictObject({ items: z.array(NumberSeriesState) }) },
    }),
    change: endpoint({
      method: 'PATCH',
      path: `${path}/{series}`,
      summary: 'Sets the pattern of a series, or the next number of the period in which a day lies.',
      access: change,
      params,
      body: z.strictObject({
        pattern: NumberPattern.optional(),
        next: z.strictObject({ date: Day, counter: z.int().min(1).max(999_999_999_999) }).optional(),
      }),
      replies: { 200: NumberSeriesState },
      refusals: [Stale, NumbersWouldRepeat, NumbersWouldHaveGap],
    }),
    history: endpoint({
      method: 'GET',
      path: `${path}/{series}/history`,
      summary: 'Lists who set which pattern and next number, newest first.',
      access: read,
      params,
      query: PageQuery,
      replies: { 200: pageOf(NumberSeriesChange) },
      refusals: [Absent],
    }),
    /** Subject: the series. */
    changed: event(`${service}.number-series-changed.v1`, NumberSeriesChange),
  };
}
export type NumberSeriesContract = ReturnType<typeof numberSeriesOf>;
