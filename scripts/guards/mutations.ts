import type { AnyEndpoint } from '@marimo/contracts';
import { randomFrom } from '@marimo/testing';

import { type Known, type Schema, schemaOf, wholeBody } from './sample.ts';

/** One body that is wrong, or odd, in one place. */
export interface Mutation {
  readonly what: string;
  /** What is wrong: the value of a place, a member too many, bytes, a text that is no JSON. */
  readonly kind: string;
  readonly body: string | Uint8Array;
  /** Whether no contract takes it. */
  readonly refused: boolean;
}

type Place = readonly (string | number)[];

/** What SQL, shells, templates, spreadsheets, logs, headers, paths and screens could take for their own. */
export const hostileTexts = [
  "'",
  "' or '1'='1",
  "'; select 1/0; --",
  "') union select null, null --",
  '"; drop table person; --',
  '\\',
  '%',
  '%27%20or%201=1',
  '$1',
  '{{7*7}}#{7*7}',
  '<script>alert(1)</script>',
  "=cmd|' /C calc'!A0",
  '../../../../etc/passwd',
  'a\r\nSet-Cookie: a=1\r\n',
  '\u2028\u202e\u0007\u001b[2J',
  '\ufffe\uffff',
  '🦀',
  '🦀'.repeat(300),
  'ж'.repeat(20_000),
  `${'a'.repeat(5_000)}!`,
  ' '.repeat(5_000),
];

/** What stands for a place that wants a number, a day, a moment, an id or a sum. */
const hostileScalars: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.1,
  1e308,
  2 ** 53,
  '',
  'NaN',
  '1e400',
  '-0',
  '0x7f000001',
  '99999999999999999999',
  '2026-02-30',
  '0000-00-00',
  '9999-12-31',
  '+275760-09-13T00:00:00Z',
  '2027-01-15T00:00:00.000000001+14:00',
  '00000000-0000-0000-0000-000000000000',
  [],
  {},
  [[]],
  { toString: 1, valueOf: 2 },
];

/** Members nobody may set by sending them along: OWASP API3:2023, mass assignment. */
const notTheirs: Readonly<Record<string, unknown>> = {
  tenantId: '0192f3c4-7a10-7000-8000-0000000000aa',
  organisationId: '0192f3c4-7a10-7000-8000-0000000000aa',
  tenant_id: '0192f3c4-7a10-7000-8000-0000000000aa',
  personId: '0192f3c4-7a10-7000-8000-0000000000aa',
  userId: '0192f3c4-7a10-7000-8000-0000000000aa',
  role: 'admin',
  roles: ['admin'],
  grants: ['*'],
  permissions: ['*'],
  isAdmin: true,
  emailVerified: true,
  passwordHash: '$2b$12$',
  status: 'posted',
  state: 'active',
  postedAt: '2026-01-15T00:00:00Z',
  createdAt: '2026-01-15T00:00:00Z',
  createdBy: '0192f3c4-7a10-7000-8000-0000000000aa',
  approvedBy: '0192f3c4-7a10-7000-8000-0000000000aa',
  price: '0.01',
  version: 1,
};

/** Bodies that are wrong in each place and in each way; the same for the same seed. None where there is no JSON. */
export function mutationsOf(endpoint: AnyEndpoint, known: Known, seed: number): readonly Mutation[] {
  const schema = schemaOf(endpoint.body);
  if (schema === undefined) return [];
  const good = wholeBody(endpoint, known);
  return [...wrongValues(good), ...foreignMembers(schema, good), ...mangledBytes(good, seed)];
}

/** The objects of a schema that take members they do not name. */
export function openObjectsOf(schema: unknown): readonly Schema[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const inside = Object.values(schema).flatMap(openObjectsOf);
  const { type, properties, additionalProperties } = schema as Schema;
  const isOpen = type === 'object' && properties !== undefined && additionalProperties !== false;
  return isOpen ? [schema as Schema, ...inside] : inside;
}

/** Where a schema takes a text or a list without end. What is sent in one request is bounded, what is kept is not. */
export function endlessIn(schema: unknown, place = ''): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { type, maxItems, maxProperties, additionalProperties } = schema as Schema;
  const endless =
    (type === 'string' && isEndlessText(schema as Schema)) ||
    (type === 'array' && maxItems === undefined) ||
    (typeof additionalProperties === 'object' && maxProperties === undefined);
  const inside = Object.entries(schema).flatMap(([name, value]) => endlessIn(value, `${place}/${name}`));
  return endless ? [place, ...inside] : inside;
}

function isEndlessText({ maxLength, enum: choices, const: fixed, format, pattern }: Schema): boolean {
  if (maxLength !== undefined || choices !== undefined || fixed !== undefined) return false;
  if (['uuid', 'date', 'date-time'].includes(format ?? '')) return false;
  return pattern === undefined || /[*+]|\{\d+,\}/.test(pattern.replaceAll(/\\.|\[[^\]]*\]/g, ''));
}

function wrongValues(good: unknown): Mutation[] {
  return [[] as Place, ...placesIn(good)].flatMap((place) =>
    [...hostileScalars, ...hostileTexts].map((value) => ({
      kind: `/${place.join('/')}`,
      what: `/${place.join('/')} = ${JSON.stringify(value).slice(0, 40)}`,
      body: JSON.stringify(changed(good, place, value)),
      refused: false,
    })),
  );
}

function foreignMembers(schema: Schema, good: unknown): Mutation[] {
  return objectsOf(schema, good).flatMap(({ place, members }) =>
    Object.entries(notTheirs)
      .filter(([name]) => !members.includes(name))
      .map(([name, value]) => ({
        kind: 'member',
        what: `/${[...place, name].join('/')} that nobody asked for`,
        body: JSON.stringify(changed(good, [...place, name], value)),
        refused: true,
      })),
  );
}

function mangledBytes(good: unknown, seed: number): Mutation[] {
  const text = Buffer.from(JSON.stringify(good));
  const next = randomFrom(seed);
  const mangled = Array.from({ length: 100 }, (_, n) => {
    const bytes = Buffer.from(text);
    for (let times = 1 + (next() % 3); times > 0; times -= 1) bytes[next() % bytes.length] = next() & 255;
    const body = next() % 4 === 0 ? bytes.subarray(0, next() % bytes.length) : bytes;
    const what = `bytes mangled, ${n}: ${body.toString('latin1').slice(0, 60)}`;
    return { kind: 'bytes', what, body, refused: false };
  });
  const cut = ['', '{', '[', '"', 'null{}', `${'['.repeat(5_000)}`, `{"a":${'1'.repeat(5_000)}}`];
  return [
    ...mangled,
    ...cut.map((body) => ({ kind: 'text', what: `the text ${body.slice(0, 20)}`, body, refused: true })),
  ];
}

/** Every place inside a value, the deepest too. */
function placesIn(value: unknown, place: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inside]) => {
    const here = [...place, Array.isArray(value) ? Number(name) : name];
    return [here, ...placesIn(inside, here)];
  });
}

/** The objects in a good value whose members its schema lists. */
function objectsOf(schema: Schema, good: unknown, place: Place = []): { place: Place; members: string[] }[] {
  const options = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])] as Schema[];
  if (Array.isArray(good)) {
    const [first] = good;
    return options.flatMap(({ items }) => objectsOf((items ?? {}) as Schema, first, [...place, 0]));
  }
  if (typeof good !== 'object' || good === null) return [];
  const shapes = options.filter(
    ({ properties, additionalProperties }) => properties !== undefined && additionalProperties === false,
  );
  if (shapes.length === 0) return [];
  const members = shapes.flatMap(({ properties = {} }) => Object.keys(properties));
  const inside = Object.entries(good).flatMap(([name, value]) =>
    shapes.flatMap(({ properties = {} }) =>
      objectsOf((properties[name] ?? {}) as Schema, value, [...place, name]),
    ),
  );
  return [{ place, members }, ...inside];
}

function changed(good: unknown, [name, ...rest]: Place, value: unknown): unknown {
  if (name === undefined) return value;
  const copy: Record<string | number, unknown> = Array.isArray(good)
    ? ([...good] as never)
    : { ...(good as object) };
  copy[name] = changed(copy[name], rest, value);
  return copy;
}
