import {
  type AnyRecord,
  type FilterOperator,
  filterName,
  filterOperators,
  type ParsedQuery,
} from '@marimo/contracts/records';
import { currencyCodes, currencyDecimals } from '@marimo/measures';
import { containsText } from '@marimo/postgres';
import { type StoredField, storedFields } from './columns.ts';
import type { Statement } from './statement.ts';

/**
 * What somebody may see of a record: the rows that pass, without the fields that are hidden. Of optional fields, as a single
 * record shows the hidden ones as absent.
 */
export interface Restriction {
  /** By the grammar of lists: `{ ownerId: ['…'] }`. */
  readonly filter?: ParsedQuery;
  readonly hidden?: readonly string[];
}

/** The conditions that a query and a restriction put on the rows of a record, for `where … and …`. */
export function conditionsOf(
  record: AnyRecord,
  query: ParsedQuery,
  statement: Statement,
  restriction: Restriction = {},
): string[] {
  const stored = storedFields(record.grammar.fields);
  const { filter = {} } = restriction;
  return [query, filter].flatMap((each) =>
    stored.flatMap((field) =>
      filterOperators(field.kind).flatMap((operator) => {
        const wanted = each[filterName(field.name, operator)];
        return wanted === undefined ? [] : [condition(field, operator, wanted, statement)];
      }),
    ),
  );
}

function condition(
  field: StoredField,
  operator: FilterOperator,
  wanted: unknown,
  statement: Statement,
): string {
  const [first, second] = field.columns;
  const column = first?.name ?? '';
  const type = first?.type ?? 'text';
  switch (operator) {
    case 'in':
      return oneOf(field, column, type, wanted as unknown[], statement);
    case 'contains':
      return containsText(column, statement.value(wanted));
    case 'starts':
      return `starts_with(lower(${column}), lower(${statement.value(wanted, 'text')}))`;
    case 'from':
      return `${column} >= ${statement.value(wanted, type)}`;
    case 'to':
      return `${column} <= ${statement.value(wanted, type)}`;
    case 'min':
      return compared(field, '>=', wanted, statement);
    case 'max':
      return compared(field, '<=', wanted, statement);
    case 'currency':
    case 'unit':
      return `${second?.name} = any(${statement.value(wanted, 'text[]')})`;
    case 'empty':
      return empty(field, column, wanted as boolean);
  }
}

function oneOf(
  { kind }: StoredField,
  column: string,
  type: string,
  wanted: readonly unknown[],
  statement: Statement,
): string {
  if (kind === 'tags') return `${column} && ${statement.value(wanted, 'text[]')}`;
  // One value keeps an index that goes on behind it in order, as sorts do.
  if (wanted.length === 1) return `${column} = ${statement.value(wanted[0], type)}`;
  return `${column} = any(${statement.value(wanted, `${type}[]`)})`;
}

function empty({ kind }: StoredField, column: string, isEmpty: boolean): string {
  if (kind === 'tags') return isEmpty ? `${column} = '{}'` : `${column} <> '{}'`;
  return `${column} is ${isEmpty ? '' : 'not '}null`;
}

function compared(field: StoredField, sign: '>=' | '<=', wanted: unknown, statement: Statement): string {
  const [first, second] = field.columns;
  if (field.kind !== 'money') return `${first?.name} ${sign} ${statement.value(wanted, first?.type)}`;
  const amount = statement.value(wanted, 'numeric');
  return `${first?.name} ${sign} ${amount} * ${minorUnitsOf(second?.name ?? '', statement)}`;
}

/** How many minor units one of the row's currency has: amounts are compared as people write them. */
function minorUnitsOf(currency: string, statement: Statement): string {
  const usual = 2;
  const unusual = [...Map.groupBy(currencyCodes, currencyDecimals)].filter(
    ([decimals]) => decimals !== usual,
  );
  const cases = unusual.map(
    ([decimals, codes]) =>
      `when ${currency} = any(${statement.value(codes, 'text[]')}) then ${10 ** decimals}`,
  );
  return `(case ${cases.join(' ')} else ${10 ** usual} end)`;
}
