import { z } from 'zod';
import { contracts, gatewayContract } from './all.ts';
import type { Contract } from './contract.ts';
import { contract } from './contract.ts';
import * as gateway from './gateway/index.ts';
import { type Field, fieldsOf, personal, replacePersonal } from './personal.ts';

const hide = (schema: z.ZodType, json: object) =>
  replacePersonal(schema, json as never, (_, why) => `[${why}]`);

describe('personal data of a contract', () => {
  const email = personal(z.string());

  it.each([
    ['an optional field', z.object({ a: email.optional() }), { a: 'x' }, { a: '[personal]' }],
    ['a nullable field', z.object({ a: email.nullable() }), { a: 'x' }, { a: '[personal]' }],
    ['a field with a default', z.object({ a: email.default('y') }), { a: 'x' }, { a: '[personal]' }],
    [
      'a field with a further check',
      z.object({ a: email.check(z.maxLength(5)) }),
      { a: 'x' },
      { a: '[personal]' },
    ],
    [
      'items of a list',
      z.object({ a: z.array(email) }),
      { a: ['x', 'y'] },
      { a: ['[personal]', '[personal]'] },
    ],
    [
      'values of a record',
      z.object({ a: z.record(z.string(), email) }),
      { a: { b: 'x' } },
      { a: { b: '[personal]' } },
    ],
    [
      'a field of an extended object',
      z.object({ a: email }).extend({ b: z.int() }),
      { a: 'x', b: 1 },
      { a: '[personal]', b: 1 },
    ],
    [
      'a whole object',
      z.object({ a: personal(z.object({ b: z.int() })) }),
      { a: { b: 1 } },
      { a: '[personal]' },
    ],
    ['one case of several', z.object({ a: z.union([z.int(), email]) }), { a: 'x' }, { a: '[personal]' }],
  ])('is left out of %s', (_, schema, data, expected) => {
    expect(hide(schema, data)).toEqual(expected);
  });

  it('is left out beside a name that is not personal', () => {
    const schema = z.object({
      organisation: z.object({ name: z.string() }),
      admin: z.object({ name: email }),
    });
    expect(hide(schema, { organisation: { name: 'Pine' }, admin: { name: 'Anna' } })).toEqual({
      organisation: { name: 'Pine' },
      admin: { name: '[personal]' },
    });
  });

  it('leaves a missing value missing', () => {
    expect(hide(z.object({ a: email.nullable() }), { a: null })).toEqual({ a: null });
  });

  it.each([
    ['an unknown field', z.object({ a: z.int() }), { a: 1, phone: '+7' }, { a: 1, phone: '[undeclared]' }],
    ['an object in place of a text', z.object({ a: z.string() }), { a: { b: 1 } }, { a: '[undeclared]' }],
    ['a list in place of an object', z.object({ a: z.object({}) }), { a: [1] }, { a: '[undeclared]' }],
    [
      'a value of no declared case',
      z.object({ a: z.union([z.int(), z.boolean()]) }),
      { a: 'x' },
      { a: '[undeclared]' },
    ],
    ['anything', z.object({ a: z.unknown() }), { a: 'x' }, { a: '[undeclared]' }],
  ])('is suspected in %s', (_, schema, data, expected) => {
    expect(hide(schema, data)).toEqual(expected);
  });
});

interface Place extends Field {
  readonly where: string;
}

const all: Readonly<Record<string, Contract>> = {
  ...contracts,
  gateway: gatewayContract,
  operators: contract({ operators: gateway.operators }),
};

const places: readonly Place[] = Object.values(all).flatMap(({ endpoints, events }) => [
  ...events.flatMap(({ type, data }) => at(type, data)),
  ...endpoints.flatMap(({ method, path, replies, body, query }) => [
    ...Object.values(replies).flatMap((reply) => at(`${method} ${path}`, reply)),
    ...(body !== undefined && !('stream' in body) ? at(`${method} ${path}`, body) : []),
    ...(query === undefined ? [] : at(`${method} ${path}`, query)),
  ]),
]);

function at(where: string, schema: z.ZodType): Place[] {
  return fieldsOf(schema).map((field) => ({ ...field, where }));
}

/** What the last word of a path looks like where it identifies a person. */
const looksPersonal =
  /(^|\.)(to|by|client|subject)$|(name|email|e?mails|phone|address|agent|inviter|recipient|birthday|passport|taxId)(\[\]|\{\})*$/i;

/** Fields that look personal and are not: where, which, and why. */
const notPersonal: readonly (readonly [where: RegExp, path: RegExp, why: string])[] = [
  [/./, /(^|\.)organisation\.name$/, 'an organisation'],
  [
    /users\.organisation-|\/users\/organisation(\/|$)|GET .*\/users\/organisations$/,
    /^(items\[\]\.)?name$/,
    'an organisation',
  ],
  [
    /users\.service-account-|\/users\/service-accounts(\/\{accountId\}(\/(en|dis)able)?)?$/,
    /^(items\[\]\.)?name$/,
    'a program',
  ],
  [
    /users\.sign-in-provider-|\/sign-in-(providers(\/\{providerId\})?|options)$/,
    /^(items\[\]\.)?name$/,
    'a provider',
  ],
  [/\/users\/roles|users\.role-/, /^(items\[\]\.)?name$/, 'a role'],
  [/\/users\//, /permissions\[\]\.name$/, 'a permission'],
  [/\/users\/second-factors\/passkeys\/options$/, /^rp\.name$/, 'this platform'],
  [/(\/|^)accounting[/.]/, /(^|\.)(name|accountName)$/, 'a ledger account, journal or template'],
  [/^GET/, /^(\w+\.)?to$/, 'the end of a period'],
  [/^GET .*\/history$/, /^items\[\]\.(by|changes\[\]\.to)$/, 'the id of a person, and what is not personal'],
  [/^GET .*\/summary$/, /^by$/, 'what a summary is grouped by'],
  [
    /./,
    /(^|\.)(emails|items)\[\]\.subject$/,
    'the subject line of a mail names the organisation; of an audit record, an id',
  ],
  [/\/workers\/audit-records$/, /^subject$/, 'the id of what the event is about'],
];

const excused = ({ where, path }: Place) => notPersonal.some(([w, p]) => w.test(where) && p.test(path));
const suspects = places.filter(({ path, type }) => type === 'string' && looksPersonal.test(path));
const named = ({ where, path }: Place) => `${where}: ${path}`;

describe('the contracts of all services', () => {
  it('mark every field that looks personal, or say why it is not', () => {
    expect(suspects.length).toBeGreaterThan(20);
    expect(suspects.filter((place) => !place.isPersonal && !excused(place)).map(named)).toEqual([]);
  });

  it('excuse no field that is marked, and list no excuse that nothing needs', () => {
    expect(suspects.filter((place) => place.isPersonal && excused(place)).map(named)).toEqual([]);
    const needed = ([w, p]: (typeof notPersonal)[number]) =>
      suspects.some(({ where, path }) => w.test(where) && p.test(path));
    expect(notPersonal.filter((excuse) => !needed(excuse)).map(String)).toEqual([]);
  });

  it('declare every field of an event, so that the audit can check each', () => {
    const open = Object.values(contracts).flatMap(({ events }) =>
      events.flatMap(({ type, data }) =>
        at(type, data).filter((field) => ['unknown', 'any', 'json', 'custom'].includes(field.type)),
      ),
    );
    expect(open.map(named)).toEqual([]);
  });
});
