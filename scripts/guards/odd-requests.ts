import { type AnyEndpoint, newId } from '@marimo/contracts';
import { runSeed } from '@marimo/testing';
import { hostileTexts, mutationsOf, openObjectsOf } from './mutations.ts';
import { type Known, sampleBody, sampleQuery, schemaOf } from './sample.ts';

/** One request that is odd in one place. */
export interface Sent {
  readonly what: string;
  /** The place, or the sort of oddness. */
  readonly kind: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly refused: boolean;
}

export function oddRequests(endpoint: AnyEndpoint, known: Known): readonly Sent[] {
  return [
    ...mutationsOf(endpoint, known, runSeed),
    ...oddQueries(endpoint, known),
    ...oddPaths(endpoint, known),
    ...oddHeaders(endpoint, known),
  ];
}

/** Keys of a list that nobody was given, in the shape of one. */
const forgedKeys = [
  null,
  {},
  [],
  ["'"],
  ["' or 1=1 --", newId()],
  [newId(), newId()],
  ['2026-01-15T00:00:00.000Z', newId()],
  ['9999-12-31T23:59:59.999999999Z', newId()],
  ['+275760-09-13T00:00:00.000Z', newId()],
  [1e308, newId()],
  [-1, 2 ** 53, 'x'.repeat(5_000)],
  ['2026-01-15', '2026-01-15', 9_999_999_999],
  [[[['a']]], { a: 1 }],
].map((key) => Buffer.from(JSON.stringify(key)).toString('base64url'));

function oddQueries(endpoint: AnyEndpoint, known: Known): Sent[] {
  const { properties = {} } = schemaOf(endpoint.query) ?? {};
  const written = (changes: Record<string, string>) =>
    new URLSearchParams({ ...sampleQuery(endpoint, known), ...changes }).toString();
  const isClosed = openObjectsOf(schemaOf(endpoint.query)).length === 0;
  const texts = hostileTexts.filter((text) => text.length < 1_000);
  const values = [...texts, ...forgedKeys, '-1', '1e9', 'NaN', '2026-02-30', '0000-01-01', '9999-12-31', ''];
  return [
    ...Object.keys(properties).flatMap((name) =>
      values.map((value) => ({
        kind: `?${name}`,
        what: `?${name}=${value.slice(0, 40)}`,
        query: written({ [name]: value }),
        refused: false,
      })),
    ),
    ...Object.keys(properties).map((name) => ({
      kind: '? twice',
      what: `?${name} twice`,
      query: `${written({ [name]: '1' })}&${name}=2`,
      refused: true,
    })),
    ...['tenantId', 'role', '__proto__', 'constructor[prototype][a]', "a' or 1=1"].map((name) => ({
      kind: '? too many',
      what: `?${name}, which nobody asked for`,
      query: written({ [name]: '1' }),
      refused: isClosed,
    })),
  ].map((sent) => ({ ...sent, ...bodyFor(endpoint, known) }));
}

function oddPaths(endpoint: AnyEndpoint, known: Known): Sent[] {
  const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return names.flatMap((odd) =>
    [...hostileTexts.filter((text) => text.length < 1_000), '..', '__proto__', 'null', '-1'].map((value) => ({
      kind: `{${odd}}`,
      what: `{${odd}} = ${value.slice(0, 40)}`,
      path: endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(name === odd ? value : (known(name) ?? newId())),
      ),
      refused: false,
      ...bodyFor(endpoint, known),
    })),
  );
}

const oddlyHeaded = [
  'idempotency-key',
  'if-match',
  'if-none-match',
  'user-agent',
  'x-request-id',
  'traceparent',
  'accept-language',
  'x-marimo-deadline',
  'x-forwarded-for',
];

function oddHeaders(endpoint: AnyEndpoint, known: Known): Sent[] {
  return hostileTexts
    .filter((text) => /^[\x20-\x7e]{1,300}$/.test(text))
    .flatMap((text) =>
      oddlyHeaded.map((name) => ({
        kind: name,
        what: `${name}: ${text}`,
        headers: { [name]: text },
        refused: false,
        ...bodyFor(endpoint, known, '{"guardProbe":1}'), // nothing of it goes well, so all of it is looked at
      })),
    );
}

export function bodyFor(
  endpoint: AnyEndpoint,
  known: Known,
  body = JSON.stringify(sampleBody(endpoint, known)),
): Pick<Sent, 'body'> {
  return endpoint.body === undefined || body === undefined ? {} : { body };
}
