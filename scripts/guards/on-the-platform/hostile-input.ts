import { type AnyEndpoint, isForServices, newId } from '@marimo/contracts';
import { accessTokens } from '@marimo/contracts/users';
import { runSeed } from '@marimo/testing';
import { registerOrganisation } from '../../start/api-client.ts';
import { allRoutes, nameOf, type Route } from '../all-routes.ts';
import { atOnce } from '../at-once.ts';
import { bodyFor, oddRequests, type Sent } from '../odd-requests.ts';
import { prepareTenant } from '../prepared-tenant.ts';
import { sampleQuery, schemaOf, wholeBody } from '../sample.ts';
import { sampleOfEach } from '../sample-of-each.ts';
import { whole } from '../shared-platform.ts';

// Last: what goes well there withdraws the key of the tokens below.
const all = allRoutes.toSorted(
  (one, other) =>
    Number(one.endpoint === accessTokens.rotateSigningKeys) -
    Number(other.endpoint === accessTokens.rotateSigningKeys),
);
const ofOurMachine =
  /\bat .+\.[tj]s:\d+|node_modules|\bselect .+ from |SQLSTATE|syntax error|\brelation "|violates|stack"/i;
/** Of each place of a body, a query, a path and each header, so many values in a run. */
const ofEachKind = 2;
const password = 'Quite-Long-And-Odd-7';

interface Tenant {
  readonly organisationId: string;
  readonly accessToken: string;
  readonly ids: Readonly<Record<string, string>>;
}

let tenant: Tenant;
let organisations = 0;
const postToUsers = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${whole.platform.origin}/api/v1/users/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

async function newTenant(): Promise<Tenant> {
  organisations += 1;
  const owner = await registerOrganisation(whole.platform.origin, `Hostile ${organisations}`, 'EUR');
  const ids = await prepareTenant(owner, 'Sample');
  // A session that is there, as what people do to themselves asks for it.
  const signedIn = await postToUsers('login', {
    email: `anna@hostile-${organisations}.example`,
    password,
  });
  const { accessToken } = (await signedIn.json()) as { accessToken: string };
  return { organisationId: owner.organisationId, accessToken, ids };
}

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
async function complaintsAbout(route: Route, requests: readonly Sent[]): Promise<string[]> {
  const complaints: string[] = [];
  const caller = callerOf(route.endpoint);
  await atOnce(requests, async (sent) => {
    const { status, text, headers } = await send(route, caller, sent);
    const wrong =
      status >= 500 ||
      (sent.refused && (status < 400 || status === 404)) ||
      ofOurMachine.test(text) ||
      headers.get('x-content-type-options') !== 'nosniff' ||
      headers.get('x-powered-by') !== null ||
      headers.get('set-cookie') !== null;
    if (wrong) complaints.push(`${sent.what}: ${status} ${text.slice(0, 300)}`);
  });
  return complaints.slice(0, 10);
}

async function send({ service, endpoint }: Route, caller: Record<string, string>, sent: Sent) {
  const { path = pathOf(endpoint), query = '', headers = {}, body } = sent;
  const answer = await fetch(whole.addressOf(service) + path + (query && `?${query}`), {
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

/** What is right is let in, or nothing that is refused below would mean anything. */
async function letsInWhatIsRight(route: Route): Promise<void> {
  const { endpoint } = route;
  if (endpoint.body !== undefined && schemaOf(endpoint.body) === undefined) return;
  const good = {
    what: 'what is right',
    kind: 'right',
    refused: false,
    ...bodyFor(endpoint, known, JSON.stringify(wholeBody(endpoint, known))),
    query: new URLSearchParams(sampleQuery(endpoint, known)).toString(),
  };
  const { status, text } = await send(route, callerOf(endpoint), good);
  expect(`${status} ${text}`).not.toMatch(/^40[01] .*(malformed-request|unauthenticated)/);
}

describe(`wrong and odd requests to every route (TEST_SEED=${runSeed} asks the same)`, () => {
  beforeAll(async () => {
    process.stdout.write(`TEST_SEED=${runSeed}\n`);
    tenant = await newTenant();
  });

  /** Requests that go well may end the session, the organisation or its only member: then the next route gets others. */
  beforeEach(async () => {
    const headers = { authorization: `Bearer ${tenant.accessToken}` };
    const proof = await postToUsers('step-up', { password }, headers);
    const proven = (await proof.json()) as { accessToken?: string };
    if (proof.status !== 200) tenant = await newTenant();
    else if (proven.accessToken !== undefined) tenant = { ...tenant, accessToken: proven.accessToken };
  });

  describe('no body, address or header that is odd is more than refused', () => {
    it.each(all.map((route) => [nameOf(route.endpoint), route] as const))('by %s', async (_, route) => {
      await letsInWhatIsRight(route);
      const odd = oddRequests(route.endpoint, known);
      expect(
        await complaintsAbout(
          route,
          sampleOfEach(odd, ({ kind }) => kind, ofEachKind),
        ),
      ).toEqual([]);
    });
  });

  it('nothing of it ended the platform, or is in its log as a failure it did not expect', () => {
    expect(whole.platform.child.exitCode).toBeNull();
    expect(whole.platform.output()).not.toMatch(/unhandled|uncaught|"level":"error"/i);
  });
});
