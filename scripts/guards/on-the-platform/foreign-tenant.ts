import type { AnyEndpoint, ServiceName } from '@marimo/contracts';
import { z } from 'zod';
import { type ApiClient, registerOrganisation } from '../../start/api-client.ts';
import { allRoutes, nameOf } from '../all-routes.ts';
import { prepareTenant } from '../prepared-tenant.ts';
import { sampleBody, sampleQuery } from '../sample.ts';
import { whole } from '../shared-platform.ts';
import { type ContentOfTenant, contentOf } from '../tenant-content.ts';

/** Stands in every text of the first organisation, so that a leak shows wherever it is. */
const marker = 'Zebra-7f3a';

const reachable = allRoutes.filter(({ endpoint }) => endpoint.path.startsWith('/api/'));
// What is public tells everybody the same, whoever asks.
const withIds = reachable.filter(
  ({ endpoint }) => endpoint.path.includes('{') && endpoint.access !== 'public',
);

let owner: ApiClient;
let stranger: ApiClient;
let before: ContentOfTenant;
let prepared: Readonly<Record<string, string>>;
const tokens = { owner: '', stranger: '' };

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

type IdOf = (service: ServiceName, field: string) => string | undefined;

async function ask(service: ServiceName, endpoint: AnyEndpoint, token: string, idOf: IdOf = ownersValue) {
  const known = (field: string) => idOf(service, field);
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

function choosesId(service: ServiceName, endpoint: AnyEndpoint): boolean {
  let chosen = false;
  const noting = (field: string) => {
    chosen ||= ownersValue(service, field) !== undefined;
    return undefined;
  };
  sampleBody(endpoint, noting);
  sampleQuery(endpoint, noting);
  return chosen;
}

/** Somebody's id where the first organisation has one; of the same form, and nobody has it. */
const nobodysValue: IdOf = (service, field) => {
  const owners = ownersValue(service, field);
  if (owners === undefined || !z.guid().safeParse(owners).success) return owners && 'nobody';
  return owners.replace(/.{4}$/, owners.endsWith('beef') ? 'feed' : 'beef');
};

/** How a request is refused, without the ids that were sent along and its own; of one that goes well, that it does. */
async function toldOf(service: ServiceName, endpoint: AnyEndpoint, idOf: IdOf): Promise<string> {
  const sent: string[] = [];
  const noting: IdOf = (at, field) => {
    const id = idOf(at, field);
    if (id !== undefined) sent.push(id);
    return id;
  };
  const { status, text } = await ask(service, endpoint, tokens.stranger, noting);
  if (status < 300) return String(status);
  const plain = sent.reduce((told, id) => told.replaceAll(id, 'the id'), text);
  return `${status} ${plain.replace(/"requestId":"[^"]+"/, '"requestId":""')}`;
}

/** Once nothing is added any more: a transaction may be rolled back after its caller has been answered. */
async function statementsSoFar(service: ServiceName): Promise<number> {
  let last = Number.NaN;
  for (;;) {
    const now = await statementsCounted(service);
    if (now === last) return now;
    last = now;
  }
}

async function statementsCounted(service: ServiceName): Promise<number> {
  const text = await (await fetch(`${whole.addressOf(service)}/metrics`)).text();
  const counts = [...text.matchAll(/^db_queries_total\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * How many statements each takes: the least of some, because the service has work of its own beside, on a busy machine in
 * most of the tries.
 */
async function statementsFor(service: ServiceName, endpoint: AnyEndpoint, ids: readonly IdOf[]) {
  const least = ids.map(() => Number.POSITIVE_INFINITY);
  for (let times = 0; times < 2 || (times < 60 && new Set(least).size > 1); times += 1) {
    let before = await statementsSoFar(service);
    for (const [place, idOf] of ids.entries()) {
      await ask(service, endpoint, tokens.stranger, idOf);
      const after = await statementsSoFar(service);
      least[place] = Math.min(least[place] as number, after - before);
      before = after;
    }
  }
  return least;
}

describe('what belongs to another organisation', () => {
  beforeAll(async () => {
    owner = await registerOrganisation(whole.platform.origin, marker, 'EUR');
    stranger = await registerOrganisation(whole.platform.origin, 'Stranger', 'EUR');
    prepared = await prepareTenant(owner, marker);
    for (const [who, client] of Object.entries({ owner, stranger })) {
      const { body } = await client.get('/api/v1/users/me');
      tokens[who as 'owner'] = whole.signer.sign({ sub: body.user.id, tid: client.organisationId });
    }
    before = await contentOf(whole.database, owner.organisationId);
  });

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

    it.each(withIds.map(({ service, endpoint }) => [nameOf(endpoint), service, endpoint] as const))(
      'cannot tell by the answer of %s, nor by the work it makes, whether somebody else has such an id',
      async (_, service, endpoint) => {
        const told = await toldOf(service, endpoint, ownersValue);
        expect(told).toBe(await toldOf(service, endpoint, nobodysValue));
        const [forOwners, forNobodys] = await statementsFor(service, endpoint, [ownersValue, nobodysValue]);
        expect(forOwners).toBe(forNobodys);
      },
    );

    const others = reachable.filter(({ endpoint }) => !endpoint.path.includes('{'));
    it.each(others.map(({ service, endpoint }) => [nameOf(endpoint), service, endpoint] as const))(
      'is told nothing by %s, nor whether somebody else has an id that is chosen there',
      async (_, service, endpoint) => {
        if (choosesId(service, endpoint)) {
          const told = await toldOf(service, endpoint, ownersValue);
          expect(told).toBe(await toldOf(service, endpoint, nobodysValue));
        }
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
});
