import { MeasureTooLarge, TooManyGroups } from '@marimo/contracts';
import type { AnyRecord, ParsedQuery, Period, SummaryGroup } from '@marimo/contracts/records';
import { MeasureError, Money, mostMinor, Quantity } from '@marimo/measures';
import type { TenantTransaction } from '@marimo/postgres';
import { type StoredField, storedFields } from './columns.ts';
import { withCustomFields } from './custom-fields.ts';
import type { Restriction } from './filters.ts';
import { allConditions } from './list.ts';
import { Statement } from './statement.ts';

const mostGroups = 10_000;

/** What a summary measures, and how PostgreSQL calls it. */
const aggregates = { sum: 'sum', average: 'avg', least: 'min', most: 'max' } as const;
type Aggregate = keyof typeof aggregates;

/**
 * Counts and measures in groups of up to three fields, days and instants by a period of the calendar. Money is measured for
 * each currency and quantities for each unit, so a group of two currencies is read as two rows and put together here.
 *
 * Errors: TooManyGroups, MeasureTooLarge.
 */
export async function summariseRecords(
  tx: TenantTransaction,
  record: AnyRecord,
  query: ParsedQuery,
  { timeZone, ...restriction }: Restriction & { readonly timeZone: () => Promise<string> },
): Promise<{ groups: SummaryGroup[] }> {
  const statement = new Statement(tx.tenantId);
  const asked = await withCustomFields(tx, record, query);
  const conditions = await allConditions(tx, asked, statement, restriction);
  const where = ['tenant_id = $1', ...conditions].join(' and ');
  const names = (query['by'] as string[] | undefined) ?? [];
  const clock = names.some((name) => isInstant(record, name)) ? await timeZone() : '';
  const by = names.map((name) => groupOf(record, name, clock, statement));
  const keys = by.map(({ expression }, place) => `${expression} as by_${place}`);
  const groups = new Map<string, SummaryGroup>();
  const places = by.map((_, place) => String(place + 1)).join(', ');
  const grouped = places === '' ? '' : `group by ${places} order by ${places}`;
  const counted = await tx.rows<Row>(
    `select ${[...keys, 'count(*) as count'].join(', ')} from ${record.table} where ${where} ${grouped} limit ${mostGroups + 1}`,
    statement.values,
  );
  if (counted.length > mostGroups) throw new TooManyGroups({ most: mostGroups });
  for (const row of counted) groups.set(keyOf(row, by.length), emptyGroup(row, by, query));
  for (const field of measuredFields(record, query)) {
    const unit = field.columns[1]?.name;
    const columns = [...keys, ...(unit === undefined ? [] : [`${unit} as unit`]), ...measures(field, query)];
    const all = [places, ...(unit === undefined ? [] : [String(by.length + 1)])]
      .filter((each) => each !== '')
      .join(', ');
    const rows = await tx.rows<Row>(
      `select ${columns.join(', ')} from ${record.table}
       where ${where} and ${field.columns[0]?.name} is not null ${all === '' ? '' : `group by ${all} order by ${all}`}`,
      statement.values,
    );
    for (const row of rows) addMeasures(groups.get(keyOf(row, by.length)), field, row, query);
  }
  return { groups: [...groups.values()] };
}

type Row = Readonly<Record<string, unknown>>;

interface GroupBy {
  readonly name: string;
  readonly expression: string;
}

/** Days and months of instants are those of the organisation's clock. */
function isInstant({ grammar }: AnyRecord, name: string): boolean {
  return grammar.fields[name.split('.')[0] ?? '']?.kind === 'instant';
}

function groupOf(record: AnyRecord, name: string, timeZone: string, statement: Statement): GroupBy {
  const [fieldName, period] = name.split('.') as [string, Period | undefined];
  const field = storedFields(record.grammar.fields).find((each) => each.name === fieldName);
  const column = field?.columns[0]?.name ?? '';
  if (period === undefined) return { name, expression: field?.kind === 'flag' ? column : `${column}::text` };
  const day =
    field?.kind === 'instant' ? `(${column} at time zone ${statement.value(timeZone, 'text')})` : column;
  return { name, expression: periodOf(day, period) };
}

/** `2026`, `2026-Q3`, `2026-09`, `2026-W37` (ISO 8601), `2026-09-11`. */
function periodOf(day: string, period: Period): string {
  const formats = {
    year: 'YYYY',
    quarter: 'YYYY-"Q"Q',
    month: 'YYYY-MM',
    week: 'IYYY-"W"IW',
    day: 'YYYY-MM-DD',
  };
  return `to_char(${day}, '${formats[period]}')`;
}

function aggregated(query: ParsedQuery): [Aggregate, readonly string[]][] {
  return (Object.keys(aggregates) as Aggregate[]).flatMap((aggregate) => {
    const names = query[aggregate] as string[] | undefined;
    return names === undefined ? [] : [[aggregate, names]];
  });
}

function measuredFields(record: AnyRecord, query: ParsedQuery): StoredField[] {
  const names = new Set(aggregated(query).flatMap(([, each]) => each));
  return storedFields(record.grammar.fields).filter(({ name }) => names.has(name));
}

function measures({ name, kind, columns }: StoredField, query: ParsedQuery): string[] {
  return aggregated(query).flatMap(([aggregate, names]) => {
    const value = `${aggregates[aggregate]}(${columns[0]?.name})`;
    const exact = kind === 'money' ? `round(${value}::numeric)` : `trim_scale(round(${value}::numeric, 9))`;
    return names.includes(name) ? [`${exact}::text as ${aggregate}`] : [];
  });
}

function keyOf(row: Row, places: number): string {
  return JSON.stringify(Array.from({ length: places }, (_, place) => row[`by_${place}`]));
}

function emptyGroup(row: Row, by: readonly GroupBy[], query: ParsedQuery): SummaryGroup {
  const none = aggregated(query).map(([aggregate, names]) => [
    aggregate,
    Object.fromEntries(names.map((name) => [name, null])),
  ]);
  return {
    by: Object.fromEntries(
      by.map(({ name }, place) => [name, row[`by_${place}`] as string | boolean | null]),
    ),
    count: Number(row['count']),
    ...Object.fromEntries(none),
  };
}

function addMeasures(
  group: SummaryGroup | undefined,
  { name, kind }: StoredField,
  row: Row,
  query: ParsedQuery,
): void {
  for (const [aggregate, names] of aggregated(query)) {
    const measured = group?.[aggregate];
    if (measured === undefined || !names.includes(name)) continue;
    const text = row[aggregate] as string;
    if (kind === 'money' || kind === 'quantity') {
      const unit = row['unit'] as string;
      const one = kind === 'money' ? moneyOf(text, unit, name) : quantityOf(text, unit, name);
      measured[name] = [...((measured[name] as never[] | null) ?? []), one] as Money[] | Quantity[];
    } else measured[name] = text;
  }
}

function moneyOf(minor: string, currency: string, field: string): Money {
  const exact = BigInt(minor);
  if (exact > mostMinor || exact < -mostMinor) throw new MeasureTooLarge({ field, currency });
  return Money.ofMinor(exact, currency);
}

function quantityOf(text: string, unit: string, field: string): Quantity {
  try {
    return Quantity.parse(text, unit);
  } catch (error) {
    if (!(error instanceof MeasureError)) throw error;
    throw new MeasureTooLarge({ field, currency: unit });
  }
}
