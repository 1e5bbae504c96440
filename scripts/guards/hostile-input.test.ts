import { type AnyEndpoint, isForServices, newId, type ServiceName } from '@marimo/contracts';
import { endpointsByService as contracts } from '@marimo/contracts/all';
import { accessTokens } from '@marimo/contracts/users';
import { registerOrganisation } from '../start/api-client.ts';
import { endlessIn, hostileTexts, type Mutation, mutationsOf, openObjectsOf } from './mutations.ts';
import { prepareTenant } from './prepared-tenant.ts';
import { sampleBody, sampleQuery, schemaOf, wholeBody } from './sample.ts';
import { startWholePlatform, type WholePlatform } from './whole-platform.ts';

jest.setTimeout(300_000);

/** What failed fails again. */
const seed = 20_261_120;

const all = Object.entries(contracts)
  .flatMap(([service, endpoints]) =>
    endpoints.map((endpoint) => ({ service: service as ServiceName, endpoint })),
  )
  // Last: what goes well there withdraws the key of the tokens below.
  .sort(
    (one, other) =>
      Number(one.endpoint === accessTokens.rotateSigningKeys) -
      Number(other.endpoint === accessTokens.rotateSigningKeys),
  );
const nameOf = ({ method, path }: AnyEndpoint) => `${method} ${path}`;
const ofOurMachine =
  /\bat .+\.[tj]s:\d+|node_modules|\bselect .+ from |SQLSTATE|syntax error|\brelation "|violates|stack"/i;

/** What takes members it does not name, each with the reason. */
const passkey = 'browsers add members to what an authenticator said: Web Authentication, section 5.1';
const takesMore: Readonly<Record<string, string>> = {
  'GET /api/v1/users/federated-sign-ins/callback/{organisationId}':
    'providers add parameters: RFC 6749, section 4.1.2',
  'POST /api/v1/users/login/second-factor': passkey,
  'POST /api/v1/users/login/passkey': passkey,
  'POST /api/v1/users/step-up': passkey,
  'POST /api/v1/users/second-factors/passkeys': passkey,
  'POST /api/v1/users/register/with-account': passkey,
};

/** What is counted where JSON Schema cannot say it, or has the length of an address only. */
const mayBeEndless = [
  'POST /api/v1/users/sign-in-providers /properties/roles',
  'PATCH /api/v1/users/sign-in-providers/{providerId} /properties/roles',
  'GET /api/v1/users/federated-sign-ins/callback/{organisationId} ',
];

interface Tenant {
  readonly organisationId: string;
  readonly accessToken: string;
  readonly ids: Readonly<Record<string, string>>;
}
interface Sent {
  readonly what: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly refused: boolean;
}

let whole: WholePlatform;
let tenant: Tenant;
let organisations = 0;
beforeAll(async () => {
  whole = await startWholePlatform();
  tenant = await newTenant();
});
afterAll(() => whole?.stop());

async function newTenant(): Promise<Tenant> {
  organisations += 1;
  const { origin } = whole.platform;
  const owner = await registerOrganisation(origin, `Pine ${organisations}`, 'EUR');
  const ids = await prepareTenant(owner, 'Sample');
  // A session that is there, as what people do to themselves asks for it.
  const signedIn = await fetch(`${origin}/api/v1/users/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `anna@pine-${organisations}.example`, password: 'Quite-Long-And-Odd-7' }),
  });
  const { accessToken } = (await signedIn.json()) as { accessToken: string };
  return { organisationId: owner.organisationId, accessToken, ids };
}

/** Requests that go well may end the session, the organisation or its only member: then the next route gets others. */
beforeEach(async () => {
  const headers = { authorization: `Bearer ${tenant.accessToken}`, 'content-type': 'application/json' };
  const stepUp = { method: 'POST', headers, body: JSON.stringify({ password: 'Quite-Long-And-Odd-7' }) };
  const proof = await fetch(`${whole.platform.origin}/api/v1/users/step-up`, stepUp);
  const proven = (await proof.json()) as { accessToken?: string };
  if (proof.status !== 200) tenant = await newTenant();
  else if (proven.accessToken !== undefined) tenant = { ...tenant, accessToken: proven.accessToken };
});

function callerOf({ access }: AnyEndpoint): Record<string, string> {
  if (access === 'public') return {};
  const { accessToken, organisationId: tid } = tenant;
  const token = isForServices(access)
    ? whole.signer.signService({ sub: access.services[0], tid })
    : accessToken;
  return { authorization: `Bearer ${token}` };
}

const known = (field: string) => tenant.ids[field];
const pathOf = ({ path }: AnyEndpoint) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(known(name) ?? newId()));

/** Sends all of it, some at once; answers what should not have happened. */
async function complaintsAbout(
  at: ServiceName,
  endpoint: AnyEndpoint,
  all: readonly Sent[],
): Promise<string[]> {
  const complaints: string[] = [];
  const waiting = all.values();
  const caller = callerOf(endpoint);
  const sender = async () => {
    for (const sent of waiting) {
      const { status, text, headers } = await send(at, endpoint, caller, sent);
      const wrong =
        status >= 500 ||
        (sent.refused && (status < 400 || status === 404)) ||
        ofOurMachine.test(text) ||
        headers.get('x-content-type-options') !== 'nosniff' ||
        headers.get('x-powered-by') !== null ||
        headers.get('set-cookie') !== null;
      if (wrong) complaints.push(`${sent.what}: ${status} ${text.slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: 6 }, sender));
  return complaints.slice(0, 10);
}

async function send(at: ServiceName, endpoint: AnyEndpoint, caller: Record<string, string>, sent: Sent) {
  const { path = pathOf(endpoint), query = '', headers = {}, body } = sent;
  const answer = await fetch(whole.addressOf(at) + path + (query && `?${query}`), {
    method: endpoint.method,
    redirect: 'manual',
    headers: {
      ...caller,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  } as RequestInit);
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

const goodQuery = (endpoint: AnyEndpoint) => new URLSearchParams(sampleQuery(endpoint, known)).toString();

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

function oddQueries(endpoint: AnyEndpoint): Sent[] {
  const { properties = {} } = schemaOf(endpoint.query) ?? {};
  const written = (changes: Record<string, string>) =>
    new URLSearchParams({ ...sampleQuery(endpoint, known), ...changes }).toString();
  const isClosed = openObjectsOf(schemaOf(endpoint.query)).length === 0;
  const texts = hostileTexts.filter((text) => text.length < 1_000);
  const values = [...texts, ...forgedKeys, '-1', '1e9', 'NaN', '2026-02-30', '0000-01-01', '9999-12-31', ''];
  return [
    ...Object.keys(properties).flatMap((name) =>
      values.map((value) => ({
        what: `?${name}=${value.slice(0, 40)}`,
        query: written({ [name]: value }),
        refused: false,
      })),
    ),
    ...Object.keys(properties).map((name) => ({
      what: `?${name} twice`,
      query: `${written({ [name]: '1' })}&${name}=2`,
      refused: true,
    })),
    ...['tenantId', 'role', '__proto__', 'constructor[prototype][a]', "a' or 1=1"].map((name) => ({
      what: `?${name}, which nobody asked for`,
      query: written({ [name]: '1' }),
      refused: isClosed,
    })),
  ].map((sent) => ({ ...sent, ...bodyFor(endpoint) }));
}

function oddPaths(endpoint: AnyEndpoint): Sent[] {
  const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return names.flatMap((odd) =>
    [...hostileTexts.filter((text) => text.length < 1_000), '..', '__proto__', 'null', '-1'].map((value) => ({
      what: `{${odd}} = ${value.slice(0, 40)}`,
      path: endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(name === odd ? value : (known(name) ?? newId())),
      ),
      refused: false,
      ...bodyFor(endpoint),
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

function oddHeaders(endpoint: AnyEndpoint): Sent[] {
  return hostileTexts
    .filter((text) => /^[\x20-\x7e]{1,300}$/.test(text))
    .flatMap((text) =>
      oddlyHeaded.map((name) => ({
        what: `${name}: ${text}`,
        headers: { [name]: text },
        refused: false,
        ...bodyFor(endpoint, '{"guardProbe":1}'), // nothing of it goes well, so all of it is looked at
      })),
    );
}

function bodyFor(
  endpoint: AnyEndpoint,
  body = JSON.stringify(sampleBody(endpoint, known)),
): Pick<Sent, 'body'> {
  return endpoint.body === undefined || body === undefined ? {} : { body };
}

const bodies = (endpoint: AnyEndpoint): readonly Mutation[] => mutationsOf(endpoint, known, seed);

it('there are two hundred and more wrong bodies for each route, each made of one that is right', () => {
  const taking = all.filter(({ endpoint }) => schemaOf(endpoint.body) !== undefined);
  expect(taking.length).toBeGreaterThan(40);
  for (const { endpoint } of taking) expect(bodies(endpoint).length).toBeGreaterThanOrEqual(200);
});

it('every body and query is closed: what it does not name is refused', () => {
  const open = all.flatMap(({ endpoint }) =>
    [endpoint.body, endpoint.query].flatMap((contract) =>
      openObjectsOf(schemaOf(contract)).map(() => nameOf(endpoint)),
    ),
  );
  expect(new Set(open)).toEqual(new Set(Object.keys(takesMore)));
});

it('every text and list in a body or a query has an end', () => {
  const endless = all.flatMap(({ endpoint }) =>
    [endpoint.body, endpoint.query]
      .flatMap((contract) => endlessIn(schemaOf(contract)))
      .map((place) => `${nameOf(endpoint)} ${place}`),
  );
  expect(endless).toEqual(mayBeEndless);
});

describe('no body, address or header that is odd is more than refused', () => {
  it.each(all.map((one) => [nameOf(one.endpoint), one] as const))(
    'by %s',
    async (_, { service, endpoint }) => {
      if (endpoint.body === undefined || schemaOf(endpoint.body) !== undefined) {
        const body = JSON.stringify(wholeBody(endpoint, known));
        const good = {
          what: 'what is right',
          refused: false,
          ...bodyFor(endpoint, body),
          query: goodQuery(endpoint),
        };
        const { status, text } = await send(service, endpoint, callerOf(endpoint), good);
        expect(`${status} ${text}`).not.toMatch(/^40[01] .*(malformed-request|unauthenticated)/);
      }
      const odd = [
        ...bodies(endpoint),
        ...oddQueries(endpoint),
        ...oddPaths(endpoint),
        ...oddHeaders(endpoint),
      ];
      expect(await complaintsAbout(service, endpoint, odd)).toEqual([]);
    },
  );
});

it('nothing of it ended the platform, or is in its log as a failure it did not expect', () => {
  expect(whole.platform.child.exitCode).toBeNull();
  expect(whole.platform.output()).not.toMatch(/unhandled|uncaught|"level":"error"/i);
});
