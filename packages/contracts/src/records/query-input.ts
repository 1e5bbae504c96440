import type { Fields } from './fields.ts';
import type { FilterOperator } from './list-query.ts';

/** Filters by name. The schema refuses those that are not declared; the type knows the fields. */
type Filters<F extends Fields> = {
  readonly [K in (keyof F & string) | 'state' | 'archived' | 'createdAt' | 'createdBy' | 'changedAt' as
    | K
    | `${K}.${Exclude<FilterOperator, 'in'>}`]?: string | undefined;
};
export type ListInput<F extends Fields> = Filters<F> & {
  readonly limit?: string | number | undefined;
  readonly after?: string | undefined;
  readonly sort?: string | undefined;
  readonly fields?: string | undefined;
  readonly text?: string | undefined;
  readonly count?: 'true' | 'false' | undefined;
  readonly [custom: `custom.${string}`]: string | undefined;
};
export type ExportInput<F extends Fields> = Omit<ListInput<F>, 'limit' | 'after' | 'count'> & {
  readonly format?: 'csv' | 'xlsx' | 'ndjson' | undefined;
  readonly language?: 'en' | 'ru' | undefined;
};
export type SummaryInput<F extends Fields> = Filters<F> & {
  readonly [K in 'text' | 'by' | 'sum' | 'average' | 'least' | 'most']?: string | undefined;
};
/** After parsing, by the names of the query. */
export type ParsedQuery = Readonly<Record<string, unknown>>;
