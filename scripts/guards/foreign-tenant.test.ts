import type { AnyEndpoint, ServiceName } from '@marimo/contracts';
import { contracts } from '@marimo/contracts/all';
import { type ApiClient, registerOrganisation } from '../start/api-client.ts';
import { prepareTenant } from './prepared-tenant.ts';
import { sampleBody, sampleQuery } from './sample.ts';
import { type ContentOfTenant, contentOf } from './tenant-content.ts';
import { startWholePlatform, type WholePlatform } from './whole-platform.ts';

jest.setTimeout(300_000);

/** Stands in every text of the first organisation, so that a leak shows wherever it is. */
const marker = 'Zebra-7f3a';

const reachable = Object.entries(contracts).flatMap(([service, endpoints]) =>
  endpoints
    .filter(({ path }) => path.startsWith('/api/'))
    .map((endpoint) => ({ service: service as ServiceName, endpoint })),
);
// What is public tells everybody the same, whoever asks.
const withIds = reachable.filter(
  ({ endpoint }) => endpoint.path.includes('{') && endpoint.access !== 'public',
);
const nameOf = ({ method, path }: AnyEndpoint) => `${method} ${path}`;

let whole: WholePlatform;
let owner: ApiClient;
let stranger: ApiClient;
let before: ContentOfTenant;
let prepared: Readonly<Record<string, string>>;
const tokens = { owner: '', stranger: '' };

beforeAll(async () => {
  whole = await startWholePlatform();
  owner = await registerOrganisation(whole.platform.origin, marker, 'EUR');
  stranger = await registerOrganisation(whole.platform.origin, 'Stranger', 'EUR');
  prepared = await prepareTenant(owner, marker);
  for (const [who, client] of Object.entries({ owner, stranger })) {
    const { body } = await client.get('/api/v1/users/me');
    tokens[who as 'owner'] = whole.signer.sign({ sub: body.user.id, tid: client.organisationId });
  }
  before = await contentOf(whole.database, owner.organisationId);
});
afterAll(() => whole?.stop());

/** The columns an identifier in a path or a body goes by, where the name alone does not say it. */
const otherNames: Readonly<Record<string, string>> = {
  member_id: 'person_id',
  holder_id: 'person_id',
  id: 'notification_id',
};

function ownersValue(service: ServiceName, field: string): string | undefined {
  const column = field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const values = before.values.get(`${service}.${otherNames[column] ?? column}`);
  return prepared[field] ?? values?.[0];
}

async function ask(service: ServiceName, endpoint: AnyEndpoint, token: string) {
  const known = (field: string) => ownersValue(service, field);
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(known(name) ?? `unknown-${name}`),
  );
  const body = sampleBody(endpoint, known);
  const query = new URLSearchParams(sampleQuery(endpoint, known)).toString();
  const answer = await fetch(whole.platform.origin + path + (query && `?${query}`), {
    method: endpoint.method,
    redirect: 'manual',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

it('the first organisation has an example of everything a path can name', () => {
  const missing = withIds.flatMap(({ service, endpoint }) =>
    [...endpoint.path.matchAll(/\{(\w+)\}/g)]
      .map(([, name = '']) => name)
      .filter((name) => ownersValue(service, name) === undefined)
      .map((name) => `${nameOf(endpoint)}: no ${name}; let prepared-tenant.ts make one`),
  );
  expect(missing).toEqual([]);
});

it('its administrator reads all of it, or the ids below would mean nothing', async () => {
  const reads = withIds.filter(({ endpoint }) => endpoint.method === 'GET');
  expect(reads.length).toBeGreaterThan(0);
  let shown = 0;
  for (const { service, endpoint } of reads) {
    const { status, text } = await ask(service, endpoint, tokens.owner);
    if (![200, 302, 303, 400].includes(status)) throw new Error(`${nameOf(endpoint)}: ${status} ${text}`);
    if (text.includes(marker)) shown += 1;
  }
  expect(shown).toBeGreaterThan(3);
});

describe('an administrator of another organisation', () => {
  it.each(withIds.map(({ service, endpoint }) => [nameOf(endpoint), service, endpoint] as const))(
    'finds nothing by %s',
    async (_, service, endpoint) => {
      const { status, text } = await ask(service, endpoint, tokens.stranger);
      expect(text).not.toContain(marker);
      expect(`${status} ${text}`).toMatch(/^(403|404|409|412|422) /);
    },
  );

  const others = reachable.filter(({ endpoint }) => !endpoint.path.includes('{'));
  it.each(others.map(({ service, endpoint }) => [nameOf(endpoint), service, endpoint] as const))(
    'is told nothing by %s',
    async (_, service, endpoint) => {
      const { status, text } = await ask(service, endpoint, tokens.stranger);
      expect(text).not.toContain(marker);
      expect(status).toBeLessThan(500);
    },
  );

  it('has changed nothing by all of this', async () => {
    const after = await contentOf(whole.database, owner.organisationId);
    expect(after.tables).toEqual(before.tables);
  });
});
