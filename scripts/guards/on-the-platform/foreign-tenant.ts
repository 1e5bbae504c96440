import type { AnyEndpoint, ServiceName } from '@marimo/contracts';
import { z } from 'zod';
import { type ApiClient, registerOrganisation } from '../../start/api-client.ts';
import { allRoutes, nameOf } from '../all-routes.ts';
import { prepareTenant } from '../prepared-tenant.ts';
import { type RequestLines, readRequestLines } from '../request-lines.ts';
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
let lines: RequestLines;
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
  const requestId = answer.headers.get('x-request-id') ?? '';
  return { status: answer.status, text: await answer.text(), requestId };
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

/**
 * How a request is refused, without the ids that were sent along and its own; of one that goes well, that it does. And
 * how many statements it took.
 */
async function toldOf(service: ServiceName, endpoint: AnyEndpoint, idOf: IdOf) {
  const sent: string[] = [];
  const noting: IdOf = (at, field) => {
    const id = idOf(at, field);
    if (id !== undefined) sent.push(id);
    return id;
  };
  const { status, text, requestId } = await ask(service, endpoint, tokens.stranger, noting);
  const plain = sent.reduce((told, id) => told.replaceAll(id, 'the id'), text);
  const answer =
    status < 300 ? String(status) : `${status} ${plain.replace(/"requestId":"[^"]+"/, '"requestId":""')}`;
  return { answer, statements: () => lines.statementsFor(service, requestId) };
}

/**
 * What a stranger is told with the id of somebody and with that of nobody. Statements are the least of some tries: the
 * first may find nothing remembered, and what fails may leave others undone.
 */
async function comparedIds(service: ServiceName, endpoint: AnyEndpoint) {
  const ids = [ownersValue, nobodysValue];
  const answers = ids.map(() => new Set<string>());
  const least = ids.map(() => Number.POSITIVE_INFINITY);
  for (let times = 0; times < 1 || (times < 10 && new Set(least).size > 1); times += 1) {
    for (const [place, idOf] of ids.entries()) {
      const { answer, statements } = await toldOf(service, endpoint, idOf);
      answers[place]?.add(answer);
      least[place] = Math.min(least[place] as number, await statements());
    }
  }
  return answers.map((told, place) => ({ answers: [...told], statements: least[place] }));
}

describe('what belongs to another organisation', () => {
  beforeAll(async () => {
    lines = readRequestLines(whole.platform.child);
    owner = await registerOrganisation(whole.platform.origin, marker, 'EUR');
    stranger = await registerOrganisation(whole.platform.origin, 'Stranger', 'EUR');
    prepared = await prepareTenant(owner, marker);
    for (const [who, client] of Object.entries({ owner, stranger })) {
      const { body } = await client.get('/api/v1/users/me');
      tokens[who as 'owner'] = whole.signer.sign({ sub: body.user.id, tid: client.organisationId });
    }
    before = await contentOf(whole.database, owner.organisationId);
  });

  afterAll(() => lines.close());

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
        const [ofOwners, ofNobody] = await comparedIds(service, endpoint);
        expect(ofOwners).toEqual(ofNobody);
      },
    );

    const others = reachable.filter(({ endpoint }) => !endpoint.path.includes('{'));
    it.each(others.map(({ service, endpoint }) => [nameOf(endpoint), service, endpoint] as const))(
      'is told nothing by %s, nor whether somebody else has an id that is chosen there',
      async (_, service, endpoint) => {
        if (choosesId(service, endpoint)) {
          const told = await toldOf(service, endpoint, ownersValue);
          expect(told.answer).toBe((await toldOf(service, endpoint, nobodysValue)).answer);
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
