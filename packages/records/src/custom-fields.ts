import { MalformedRequest } from '@marimo/contracts';
import {
  type AnyRecord,
  choice,
  day,
  decimal,
  email,
  type Field,
  type Fields,
  filterName,
  filterOperators,
  filterSchema,
  flag,
  type ParsedQuery,
  phone,
  text,
  wholeNumber,
} from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import type { FieldError } from '@marimo/problems';
import type { RecordValues } from './rows.ts';

/** A field that an organisation has added to a record. */
interface CustomField {
  readonly name: string;
  readonly labelEn: string;
  readonly labelRu: string;
  readonly kind: string;
  readonly options: readonly string[];
  readonly isRequired: boolean;
}

/** Those in use, by name. */
async function listCustomFields(tx: TenantTransaction, record: AnyRecord): Promise<CustomField[]> {
  const sql = `
    select name, label_en as "labelEn", label_ru as "labelRu", kind, options, is_required as "isRequired"
    from custom_field
    where tenant_id = $1 and record_name = $2 and not archived order by position, name`;
  return tx.rows<CustomField>(sql, [tx.tenantId, record.name], 'custom fields');
}

/** A custom field as a column of files. */
export interface CustomColumn {
  readonly name: string;
  readonly label: { readonly en: string; readonly ru: string };
  readonly declared: Field;
}

/** Those of the organisation, in their order. */
export async function listCustomColumns(tx: TenantTransaction, record: AnyRecord): Promise<CustomColumn[]> {
  if (!record.hasCustomFields) return [];
  const fields = await listCustomFields(tx, record);
  return fields.map((field) => ({
    name: field.name,
    label: { en: field.labelEn, ru: field.labelRu },
    declared: fieldOf(field),
  }));
}

function fieldOf({ kind, options }: CustomField): Field {
  const kinds: Readonly<Record<string, () => unknown>> = {
    text: () => text(2_000),
    choice: () => choice(options as [string, ...string[]]),
    day: () => day(),
    flag: () => ({ ...flag(), presence: 'optional' }),
    wholeNumber: () => wholeNumber(),
    decimal: () => decimal(9),
    email: () => email(),
    phone: () => phone(),
  };
  return kinds[kind]?.() as Field;
}

/**
 * Reads the custom values of records that are written: known to the organisation, in the writing of their kind, and there
 * where they are required. Null is none.
 *
 * Errors: MalformedRequest, naming each field that is wrong. What a record had before (`kept`) may be of a field that is
 * archived by now.
 */
export async function readCustomValues(
  tx: TenantTransaction,
  record: AnyRecord,
  all: readonly RecordValues[],
  kept: object = {},
): Promise<RecordValues[]> {
  if (!record.hasCustomFields || all.length === 0) return [...all];
  const known = new Map((await listCustomFields(tx, record)).map((field) => [field.name, field]));
  const errors: FieldError[] = [];
  const read = all.map((values) => {
    const given = Object.entries((values['custom'] ?? {}) as object).filter(([, value]) => value !== null);
    const custom = given.map(([name, value]) => {
      const isKept = Object.hasOwn(kept, name) && Reflect.get(kept, name) === value;
      return [name, isKept ? value : readValue(known.get(name), name, value, errors)];
    });
    errors.push(...missingIn(known, new Set(given.map(([name]) => name))));
    return { ...values, custom: Object.fromEntries(custom) };
  });
  if (errors.length > 0) throw new MalformedRequest({ errors: errors.slice(0, 50) });
  return read;
}

function missingIn(known: ReadonlyMap<string, CustomField>, given: ReadonlySet<string>): FieldError[] {
  return [...known.values()].flatMap(({ name, isRequired }) =>
    isRequired && !given.has(name) ? [{ pointer: `/custom/${name}`, detail: 'is required' }] : [],
  );
}

function readValue(
  field: CustomField | undefined,
  name: string,
  value: unknown,
  errors: FieldError[],
): unknown {
  const pointer = `/custom/${name}`;
  if (field === undefined) {
    errors.push({ pointer, detail: 'unknown field' });
    return value;
  }
  const { data, error } = fieldOf(field).schema.safeParse(value);
  errors.push(...(error?.issues ?? []).map(({ message }) => ({ pointer, detail: message })));
  return data;
}

/**
 * The record as one organisation knows it: with its custom fields among those that lists are filtered and sorted by, and the
 * query with the values of those filters read.
 *
 * Errors: MalformedRequest, when the query names a custom field that the organisation does not have, or wrongly.
 */
export async function withCustomFields(
  tx: TenantTransaction,
  record: AnyRecord,
  query: ParsedQuery,
): Promise<{ record: AnyRecord; query: ParsedQuery }> {
  const named = Object.keys(query).filter((name) => name.startsWith('custom.'));
  const sort = query['sort'] as string | undefined;
  const sorted = sort?.replace(/^-/, '');
  if (named.length === 0 && !sorted?.startsWith('custom.')) return { record, query };
  const custom = (await listCustomFields(tx, record)).map((field) => [
    `custom.${field.name}`,
    fieldOf(field),
  ]);
  const fields: Fields = Object.fromEntries(custom);
  if (sorted?.startsWith('custom.') && fields[sorted] === undefined) throw unknown('?sort');
  const read = named.map((name) => [name, readFilter(fields, name, query[name])]);
  return {
    record: { ...record, grammar: { ...record.grammar, fields: { ...record.grammar.fields, ...fields } } },
    query: { ...query, ...Object.fromEntries(read) },
  };
}

function readFilter(fields: Fields, name: string, given: unknown): unknown {
  const [field, operator] = Object.entries(fields)
    .flatMap(([known, { kind }]) => filterOperators(kind).map((each) => [known, each] as const))
    .find(([known, each]) => filterName(known, each) === name) ?? ['', undefined];
  if (operator === undefined) throw unknown(`?${name}`);
  const parsed = filterSchema(fields[field] as Field, operator).safeParse(given);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ message }) => ({ pointer: `?${name}`, detail: message }));
  throw new MalformedRequest({ errors });
}

function unknown(pointer: string): MalformedRequest {
  return new MalformedRequest({ errors: [{ pointer, detail: 'names a field that does not exist' }] });
}
