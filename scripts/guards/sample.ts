import type { AnyEndpoint } from '@marimo/contracts';
import { z } from 'zod';

export type Schema = z.core.JSONSchema.BaseSchema;

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
  challenge: 'c'.repeat(43),
  issuer: 'https://idp.example',
  emailDomain: 'example.com',
  validUntil: '2027-02-15T00:00:00Z',
  asOf: '2026-01-31',
  from: '2026-01-01',
  to: '2026-01-31',
};

/** A body that the contract of an endpoint takes, filled with what is known of somebody else. */
export function sampleBody({ body }: AnyEndpoint, known: Known): unknown {
  const schema = schemaOf(body);
  return schema && sampleOf(schema, 'body', known);
}

/** Of what excludes each other, all but one. */
const leftOut: Readonly<Record<string, readonly string[]>> = {
  '/api/v1/users/login/second-factor': ['recoveryCode', 'passkey'],
  '/api/v1/users/step-up': ['code', 'recoveryCode', 'passkey'],
  '/api/v1/users/role-assignments': ['memberId'],
  '/api/v1/users/register/with-account': ['secondFactor.recoveryCode', 'secondFactor.passkey'],
};

/** The same with all that is optional. */
export function wholeBody({ body, path }: AnyEndpoint, known: Known): unknown {
  const schema = schemaOf(body);
  if (schema === undefined) return undefined;
  const without = (value: unknown, place: string): unknown => {
    if (leftOut[path]?.includes(place)) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const entries = Object.entries(value).map(([name, inside]) => [
      name,
      without(inside, place === '' ? name : `${place}.${name}`),
    ]);
    return Object.fromEntries(entries.filter(([, inside]) => inside !== undefined));
  };
  return without(sampleOf(schema, 'body', known, true), '');
}

/** The contract of a body or a query as JSON Schema; undefined where there is none, or a stream. */
export function schemaOf(contract: AnyEndpoint['body'] | AnyEndpoint['query']): Schema | undefined {
  if (contract === undefined || 'stream' in contract) return undefined;
  return z.toJSONSchema(contract, { io: 'input', unrepresentable: 'any' }) as Schema;
}

/** What a contract demands in the query. */
export function sampleQuery({ query }: AnyEndpoint, known: Known): Record<string, string> {
  const schema = schemaOf(query);
  return schema === undefined ? {} : (sampleOf(schema, 'query', known) as Record<string, string>);
}

/** A value that the schema takes; `whole` has what is optional too. */
function sampleOf(schema: Schema, field: string, known: Known, whole = false): unknown {
  const { const: fixed, enum: choices, default: usual, anyOf, oneOf, allOf } = schema;
  if (fixed !== undefined) return fixed;
  if (usual !== undefined) return usual;
  if (choices !== undefined) return choices[0];
  const one = (anyOf ?? oneOf ?? allOf)?.[0];
  if (one !== undefined) return sampleOf(one as Schema, field, known, whole);
  const { type, properties = {}, required = [] } = schema;
  if (type === 'object') {
    const names = whole ? Object.keys(properties) : required;
    const entries = names.map((name) => [name, sampleOf(properties[name] as Schema, name, known, whole)]);
    return Object.fromEntries(entries);
  }
  if (type === 'array') {
    const item = () => sampleOf(schema.items as Schema, field.replace(/s$/, ''), known, whole);
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
