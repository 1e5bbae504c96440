import type { AnyEndpoint } from '@marimo/contracts';
import { z } from 'zod';

type Schema = z.core.JSONSchema.BaseSchema;

/** The id to be used for a field; undefined where none is known. */
export type Known = (field: string) => string | undefined;

/** Texts that a pattern demands and no generator would guess. */
const byField: Readonly<Record<string, string>> = {
  email: 'stranger@example.com',
  password: 'Quite-Long-And-Odd-7',
  current: 'Quite-Long-And-Odd-7',
  new: 'Quite-Longer-And-Odd-8',
  currency: 'EUR',
  baseCurrency: 'EUR',
  amount: '10.00',
  timeZone: 'Europe/Moscow',
  role: 'accountant',
  scope: 'accounting.report.read',
  grant: 'accounting.report.read',
  permission: 'accounting.report.read',
  accountCode: 'cash',
  code: '123456',
  asOf: '2026-01-31',
  from: '2026-01-01',
  to: '2026-01-31',
};

/** A body that the contract of an endpoint takes, filled with what is known of somebody else. */
export function sampleBody({ body }: AnyEndpoint, known: Known): unknown {
  if (body === undefined || 'stream' in body) return undefined;
  return sampleOf(z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' }) as Schema, 'body', known);
}

/** What a contract demands in the query. */
export function sampleQuery({ query }: AnyEndpoint, known: Known): Record<string, string> {
  if (query === undefined) return {};
  const schema = z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' }) as Schema;
  return sampleOf(schema, 'query', known) as Record<string, string>;
}

function sampleOf(schema: Schema, field: string, known: Known): unknown {
  const { const: fixed, enum: choices, default: usual, anyOf, oneOf, allOf } = schema;
  if (fixed !== undefined) return fixed;
  if (usual !== undefined) return usual;
  if (choices !== undefined) return choices[0];
  const one = (anyOf ?? oneOf ?? allOf)?.[0];
  if (one !== undefined) return sampleOf(one as Schema, field, known);
  const { type, properties = {}, required = [] } = schema;
  if (type === 'object') {
    const entries = required.map((name) => [name, sampleOf(properties[name] as Schema, name, known)]);
    return Object.fromEntries(entries);
  }
  if (type === 'array') {
    const item = () => sampleOf(schema.items as Schema, field.replace(/s$/, ''), known);
    return Array.from({ length: Math.max(1, schema.minItems ?? 1) }, item);
  }
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1;
  if (type === 'boolean') return true;
  return textOf(schema, field, known);
}

function textOf({ format, minLength = 1 }: Schema, field: string, known: Known): string {
  const written = byField[field];
  if (written !== undefined) return written;
  if (format === 'uuid') return known(field) ?? '0192f3c4-7a10-7000-8000-0000000000aa';
  if (format === 'date') return '2026-01-15';
  if (format === 'date-time') return '2027-01-15T00:00:00Z';
  return 'sample'.padEnd(minLength, 'x');
}
