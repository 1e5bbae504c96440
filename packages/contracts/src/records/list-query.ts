import { z } from 'zod';
import { Id } from '../ids.ts';
import { PageQuery } from '../list.ts';
import { CurrencyCode, Day, Instant, UnitCode } from '../measures.ts';
import { lineOfText, normaliseText } from '../texts.ts';
import { decimal, type Field, type FieldKind, type Fields, wholeNumber } from './fields.ts';

/** What a filter compares a field with: `state=draft,posted`, `total.min=100`, `name.contains=oak`, `dueDate.empty=true`. */
export type FilterOperator =
  | 'in'
  | 'contains'
  | 'starts'
  | 'from'
  | 'to'
  | 'min'
  | 'max'
  | 'currency'
  | 'unit'
  | 'empty';

const operatorsOf: Readonly<Record<FieldKind, readonly FilterOperator[]>> = {
  text: ['in', 'contains', 'starts', 'empty'],
  longText: ['contains', 'empty'],
  choice: ['in', 'empty'],
  day: ['in', 'from', 'to', 'empty'],
  instant: ['from', 'to', 'empty'],
  flag: ['in'],
  wholeNumber: ['in', 'min', 'max', 'empty'],
  decimal: ['min', 'max', 'empty'],
  percent: ['min', 'max', 'empty'],
  money: ['min', 'max', 'currency', 'empty'],
  quantity: ['min', 'max', 'unit', 'empty'],
  email: ['in', 'contains', 'starts', 'empty'],
  phone: ['in', 'contains', 'starts', 'empty'],
  address: ['empty'],
  reference: ['in', 'empty'],
  tags: ['in', 'empty'],
  lines: ['empty'],
};

const flagText = z.enum(['true', 'false']).transform((given) => given === 'true');
/** A text may hold commas of its own, so it is one value. */
const oneText = z
  .string()
  .max(2_000)
  .overwrite(normaliseText)
  .transform((given) => [given]);
/** Several values with commas between them. */
export const listOf = <Item>(item: z.ZodType<Item, unknown>, most = 200) =>
  z
    .string()
    .max(10_000)
    .transform((given): unknown[] => given.split(','))
    .pipe(z.array(item).min(1).max(most));
const anyDecimal = decimal(9).schema;
/** Digits alone: `Number('')` is zero. */
const anyWhole = z
  .string()
  .regex(/^-?\d{1,16}$/, { error: 'must be a whole number' })
  .transform(Number)
  .pipe(wholeNumber().schema);

/** The value of one filter after parsing; lists for `in`. */
export function filterSchema(field: Pick<Field, 'kind' | 'options'>, operator: FilterOperator): z.ZodType {
  switch (operator) {
    case 'in':
      return equalTo(field);
    case 'contains':
    case 'starts':
      return lineOfText(200);
    case 'from':
    case 'to':
      return field.kind === 'instant' ? Instant : Day;
    case 'min':
    case 'max':
      return field.kind === 'wholeNumber' ? anyWhole : anyDecimal;
    case 'currency':
      return listOf(CurrencyCode);
    case 'unit':
      return listOf(UnitCode);
    case 'empty':
      return flagText;
  }
}

function equalTo({ kind, options }: Pick<Field, 'kind' | 'options'>): z.ZodType {
  if (kind === 'choice') return listOf(z.enum(options as [string, ...string[]]));
  if (kind === 'reference') return listOf(Id);
  if (kind === 'day') return listOf(Day);
  if (kind === 'flag') return flagText.transform((given) => [given]);
  if (kind === 'wholeNumber') return listOf(anyWhole);
  if (kind === 'tags') return listOf(lineOfText(50));
  return oneText;
}

/** The name of a filter in the query: the field alone for `in`. */
export function filterName(field: string, operator: FilterOperator): string {
  return operator === 'in' ? field : `${field}.${operator}`;
}

export function filterOperators(kind: FieldKind): readonly FilterOperator[] {
  return operatorsOf[kind];
}

export interface ListGrammar {
  readonly fields: Fields;
  readonly filtered: readonly string[];
  /** Such as `code` or `-postingDate,number`; each may also be asked for the other way round. */
  readonly sorts: readonly string[];
  readonly isSearched: boolean;
  readonly hasCustomFields: boolean;
}

/** `-postingDate,number` becomes `postingDate,-number`. */
function reversedSort(sort: string): string {
  return sort
    .split(',')
    .map((key) => (key.startsWith('-') ? key.slice(1) : `-${key}`))
    .join(',');
}

const customFilter = /^custom\.[a-z][a-zA-Z0-9]{0,39}(?:\.[a-z]+)?$/;
const customSort = /^-?custom\.[a-z][a-zA-Z0-9]{0,39}$/;

/** The filters alone, as lists, summaries and exports share them. */
function filterShape({ fields, filtered, isSearched }: ListGrammar): Record<string, z.ZodType> {
  const shape: Record<string, z.ZodType> = {};
  for (const name of filtered) {
    const field = fields[name];
    if (field === undefined) throw new Error(`${name} is filtered and not a field`);
    for (const operator of operatorsOf[field.kind]) {
      shape[filterName(name, operator)] = filterSchema(field, operator).optional();
    }
  }
  if (isSearched) shape['text'] = lineOfText(200).optional();
  return shape;
}

/** Names that are not declared are refused one by one; those of custom fields are known only to the organisation. */
function strict(shape: Record<string, z.ZodType>, { hasCustomFields }: ListGrammar): z.ZodType {
  if (!hasCustomFields) return z.strictObject(shape);
  return z.looseObject(shape).superRefine((query, context) => {
    const unknown = Object.keys(query).filter(
      (name) => !Object.hasOwn(shape, name) && !customFilter.test(name),
    );
    if (unknown.length > 0)
      context.addIssue({ code: 'unrecognized_keys', keys: unknown, input: query, message: 'unknown field' });
  });
}

function sortSchema({ sorts, hasCustomFields }: ListGrammar): z.ZodType {
  const known = sorts.flatMap((sort) => [sort, reversedSort(sort)]);
  const offer = `must be one of ${sorts.join('; ')}, each with the other sign too`;
  return z
    .string()
    .max(200)
    .refine((given) => known.includes(given) || (hasCustomFields && customSort.test(given)), { error: offer })
    .optional();
}

export interface ListQueryShape {
  readonly limit: number;
  readonly after?: string | undefined;
  readonly sort?: string | undefined;
  readonly fields?: readonly string[] | undefined;
  readonly count?: boolean | undefined;
  readonly text?: string | undefined;
}

/** Texts that a list is sorted by stand in it, in base64. */
const longestCursor = 2_000;

export function listQuery(grammar: ListGrammar, fieldNames: readonly string[]): z.ZodType {
  const known = z.enum(fieldNames as [string, ...string[]], {
    error: `must be some of ${fieldNames.join(',')}`,
  });
  return strict(
    {
      ...PageQuery.shape,
      after: z.string().max(longestCursor).optional(),
      ...filterShape(grammar),
      sort: sortSchema(grammar),
      /** Only these fields are returned, with the id and the version. */
      fields: listOf(known).optional(),
      /** How many there are in all: exact to 10,000, an estimate beyond. */
      count: flagText.optional(),
    },
    grammar,
  );
}

export function exportQuery(grammar: ListGrammar, fieldNames: readonly string[]): z.ZodType {
  return strict(
    {
      ...filterShape(grammar),
      format: z.enum(['csv', 'xlsx', 'ndjson']).default('csv'),
      sort: sortSchema(grammar),
      fields: listOf(z.enum(fieldNames as [string, ...string[]])).optional(),
      language: z.enum(['en', 'ru']).optional(),
    },
    grammar,
  );
}

const periods = ['day', 'week', 'month', 'quarter', 'year'] as const;
export type Period = (typeof periods)[number];

const mostGroupedBy = 3;

export function summaryQuery(
  grammar: ListGrammar,
  grouped: readonly string[],
  summed: readonly string[],
): z.ZodType {
  const groups = grouped.flatMap((name) => {
    const kind = grammar.fields[name]?.kind;
    return kind === 'day' || kind === 'instant' ? periods.map((period) => `${name}.${period}`) : [name];
  });
  const group = z.enum(groups as [string, ...string[]], { error: `must be some of ${groups.join(',')}` });
  const by = listOf(group, mostGroupedBy);
  const measured =
    summed.length === 0
      ? z.undefined()
      : listOf(z.enum(summed as [string, ...string[]], { error: `must be some of ${summed.join(',')}` }));
  return strict(
    {
      ...filterShape(grammar),
      by: groups.length === 0 ? z.undefined() : by.optional(),
      sum: measured.optional(),
      average: measured.optional(),
      least: measured.optional(),
      most: measured.optional(),
    },
    grammar,
  );
}
