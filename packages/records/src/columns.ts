import type { Field, FieldKind, Fields } from '@marimo/contracts/records';
import { Money, Quantity } from '@marimo/measures';

export interface Column {
  readonly name: string;
  readonly type: string;
}

type Row = Readonly<Record<string, unknown>>;

/** How a field stands in its table. */
export interface StoredField {
  readonly name: string;
  readonly kind: FieldKind;
  readonly isNullable: boolean;
  readonly columns: readonly Column[];
  /** The values of its columns, as JSON that PostgreSQL reads into their types. */
  toColumns(value: unknown): readonly unknown[];
  fromRow(row: Row): unknown;
  /** What a list is sorted by; operators on it are leakproof, so that its index serves under row-level security. */
  readonly sortColumn: Column;
}

const plainTypes: Partial<Record<FieldKind, string>> = {
  text: 'text',
  longText: 'text',
  choice: 'text',
  email: 'text',
  phone: 'text',
  day: 'date',
  instant: 'timestamptz',
  flag: 'boolean',
  wholeNumber: 'bigint',
  decimal: 'numeric',
  percent: 'numeric',
  reference: 'uuid',
  address: 'jsonb',
  tags: 'text[]',
};

/** The fields that are columns of the table itself: all but lines, which have tables of their own. */
export function storedFields(fields: Fields): readonly StoredField[] {
  const known = remembered.get(fields);
  if (known !== undefined) return known;
  const stored = Object.entries(fields).flatMap(([name, field]) =>
    field.kind === 'lines' ? [] : [storedField(name, field)],
  );
  remembered.set(fields, stored);
  return stored;
}

/** They are asked for with each row. */
const remembered = new WeakMap<Fields, readonly StoredField[]>();

function storedField(name: string, field: Field): StoredField {
  const { kind } = field;
  if (name.startsWith('custom.')) return customField(name, field);
  const column = snake(name);
  const shared = { name, kind, isNullable: field.presence === 'optional' };
  if (kind === 'money') return { ...shared, ...moneyColumns(column) };
  if (kind === 'quantity') return { ...shared, ...quantityColumns(column) };
  const own: Column = { name: column, type: plainTypes[kind] ?? 'text' };
  const isNumeric = own.type === 'numeric';
  return {
    ...shared,
    columns: [own],
    toColumns: (value) => [value],
    fromRow: (row) => fromColumn(kind, row[column]),
    sortColumn: isNumeric ? orderOf(column) : own,
  };
}

/** A field of the organisation's own; its name is made of letters and digits, as the table of such fields demands. */
function customField(name: string, { kind }: Field): StoredField {
  const type = plainTypes[kind] ?? 'text';
  const expression = { name: `(custom ->> '${name.slice('custom.'.length)}')::${type}`, type };
  return {
    name,
    kind,
    isNullable: true,
    columns: [expression],
    toColumns: (value) => [value],
    fromRow: () => undefined, // it comes with `custom`
    // A cursor holds what it is sorted by; the id tells apart what begins alike.
    sortColumn: type === 'text' ? { name: `left(${expression.name}, 200)`, type } : expression,
  };
}

/** A generated copy: operators of `numeric` are not leakproof, those of `double precision` are. */
const orderOf = (column: string): Column => ({ name: `${column}_order`, type: 'double precision' });

type Storage = Pick<StoredField, 'columns' | 'toColumns' | 'fromRow' | 'sortColumn'>;

function moneyColumns(column: string): Storage {
  const minor = { name: `${column}_minor`, type: 'bigint' };
  const currency = { name: `${column}_currency`, type: 'text' };
  return {
    columns: [minor, currency],
    toColumns: (value) => (value instanceof Money ? [String(value.minor), value.currency] : [null, null]),
    fromRow: (row) =>
      row[minor.name] === null
        ? null
        : Money.ofMinor(row[minor.name] as bigint, row[currency.name] as string),
    sortColumn: minor,
  };
}

function quantityColumns(column: string): Storage {
  const value = { name: `${column}_value`, type: 'numeric' };
  const unit = { name: `${column}_unit`, type: 'text' };
  return {
    columns: [value, unit],
    toColumns: (given) => (given instanceof Quantity ? [given.toText(), given.unit] : [null, null]),
    fromRow: (row) =>
      row[value.name] === null ? null : Quantity.parse(row[value.name] as string, row[unit.name] as string),
    sortColumn: orderOf(value.name),
  };
}

function fromColumn(kind: FieldKind, value: unknown): unknown {
  return kind === 'wholeNumber' && typeof value === 'bigint' ? Number(value) : value;
}

/** `leadTimeDays` becomes `lead_time_days`. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
