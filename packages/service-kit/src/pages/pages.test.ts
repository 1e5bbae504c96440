import {
  type AnyEndpoint,
  endpoint,
  forServices,
  MoneyOnWire,
  PageQuery,
  pageOf,
  permission,
  ServiceDescription,
} from '@marimo/contracts';
import { createMetrics } from '@marimo/observability';
import { refusal } from '@marimo/problems';
import supertest from 'supertest';
import { z } from 'zod';
import { type KitUnderTest, kitUnderTest } from '../../test/kit-under-test.ts';
import { openApiOf } from './openapi.ts';
import { operationPages } from './operations.ts';
import { describedService } from './service-description.ts';

class TooDear extends refusal(z.object({ most: z.int() }), {
  code: 'shop.too-dear',
  kind: 'refused',
  title: 'It costs too much',
  detail: ({ most }) => `At most ${most}.`,
}) {}
const Tree: z.ZodType = z
  .lazy(() => z.strictObject({ name: z.string(), parts: z.array(Tree) }))
  .meta({ id: 'Tree' });

const endpoints: readonly AnyEndpoint[] = [
  endpoint({
    method: 'POST',
    path: '/api/v1/shop/prices/{id}',
    summary: 'Sets a price.',
    access: permission('shop.price.set', { en: 'Set prices', ru: 'Задавать цены' }),
    params: z.strictObject({ id: z.uuid() }),
    body: z.strictObject({ price: MoneyOnWire, note: z.string().optional() }),
    replies: { 200: z.strictObject({ price: MoneyOnWire }), 204: z.null() },
    refusals: [TooDear],
  }),
  endpoint({
    method: 'GET',
    path: '/api/v1/shop/prices',
    summary: 'Lists prices.',
    access: 'public',
    query: PageQuery.extend({ since: z.iso.date().optional() }),
    deprecated: { since: '2026-01-01', sunset: '2027-01-01', successor: '/api/v2/shop/prices' },
    replies: { 200: pageOf(Tree) },
  }),
  endpoint({
    method: 'POST',
    path: '/api/v1/shop/prices/import',
    summary: 'Reads prices.',
    access: 'signed-in',
    body: { stream: ['text/csv'] },
    repeat: 'natural',
    replies: { 200: z.strictObject({ accepted: z.int() }) },
  }),
  endpoint({
    method: 'GET',
    path: '/internal/shop/stock',
    summary: 'For services.',
    access: forServices('shop', 'operator'),
    replies: { 200: z.null() },
  }),
];
const openApi = openApiOf({ title: 'Shop', version: '1.2.3', endpoints });
const described = describedService('shop', endpoints, {
  version: '1.2.3',
  permissions: [{ name: 'shop.price.set' }, { name: 'users.member.read' }],
});

let kit: KitUnderTest;
let ready = true;
beforeAll(async () => {
  const metrics = createMetrics('test');
  kit = await kitUnderTest([], {
    pages: operationPages({
      readiness: async () => ({ ready, checks: { database: ready } }),
      metrics: () => metrics.render(),
      metricsType: metrics.contentType,
      openApi: () => openApi,
      described,
    }),
  });
});
afterAll(() => kit.stop());
const get = (path: string) => supertest(kit.url).get(path);

describe('the OpenAPI description', () => {
  const at = (path: string, verb: string) => (openApi as unknown as Description).paths[path]?.[verb];

  it('has parameters, body, replies and refusals of every endpoint', () => {
    const set = at('/api/v1/shop/prices/{id}', 'post');
    expect(set).toMatchObject({
      summary: 'Sets a price.',
      'x-permission': 'shop.price.set',
      security: [{ bearer: [] }],
      parameters: [
        { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
        { name: 'Idempotency-Key', in: 'header', required: false },
      ],
    });
    expect(Object.keys(set?.responses ?? {}).sort()).toEqual(
      ['200', '204', '400', '401', '403', '409', '413', '415', '422', '504'].sort(),
    );
    expect(JSON.stringify(set?.responses['422'])).toContain('shop.too-dear');
    expect(set?.responses['204']).toEqual({ description: 'Done' });
  });

  it('shows what goes over the wire, not what code makes of it', () => {
    const text = JSON.stringify(at('/api/v1/shop/prices/{id}', 'post'));
    expect(text).toContain('"amount":{"type":"string"');
    expect(text).toContain('"additionalProperties":false');
  });

  it('asks no token and no key where none is needed, and lets defaults be left out', () => {
    const list = at('/api/v1/shop/prices', 'get');
    expect(list).toMatchObject({ security: [] });
    expect(list?.parameters.map(({ name, required }) => [name, required])).toEqual([
      ['limit', false],
      ['after', false],
      ['since', false],
    ]);
  });

  it('says which services may call what is for services, and asks a token of theirs', () => {
    const stock = at('/internal/shop/stock', 'get');
    expect(stock).toMatchObject({ security: [{ bearer: [] }], 'x-services': ['shop', 'operator'] });
    expect(stock).toMatchObject({ description: expect.stringContaining('`shop`, `operator`') });
    expect(Object.keys(stock?.responses ?? {})).toEqual(expect.arrayContaining(['401', '403']));
    expect(openApi).toMatchObject({ components: { securitySchemes: { bearer: { scheme: 'bearer' } } } });
    expect(JSON.stringify(openApi)).not.toContain('x-marimo');
  });

  it('marks what will go, and the day it goes', () => {
    expect(at('/api/v1/shop/prices', 'get')).toMatchObject({ deprecated: true, 'x-sunset': '2027-01-01' });
    expect(at('/api/v1/shop/prices/{id}', 'post')).not.toHaveProperty('deprecated');
  });

  it('names the content types of a stream', () => {
    expect(at('/api/v1/shop/prices/import', 'post')).toMatchObject({
      requestBody: { content: { 'text/csv': {} } },
    });
  });

  it('refers only to what it holds', () => {
    const { components } = openApi as unknown as Description;
    const refs = [...JSON.stringify(openApi).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref ?? '');
    expect(refs.length).toBeGreaterThan(5);
    for (const ref of refs)
      expect(components.schemas).toHaveProperty([ref.replace('#/components/schemas/', '')]);
  });

  it('is served', async () => {
    const answer = await get('/openapi.json');
    expect(answer.body.info).toEqual({ title: 'Shop', version: '1.2.3' });
  });
});

describe('the documentation page', () => {
  it('comes whole from this disk, under a policy that allows nothing else', async () => {
    const page = await get('/docs');
    expect(page.headers['content-type']).toContain('text/html');
    const policy = page.headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(page.text).not.toMatch(/https?:\/\/|<script>|onload=/);
    const parts = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, part]) => part ?? '');
    expect(parts.length).toBe(4);
    for (const part of parts) {
      const answer = await get(part).buffer(false);
      expect([part, answer.status, answer.headers['x-content-type-options']]).toEqual([part, 200, 'nosniff']);
      expect(answer.headers['content-type']).toMatch(/javascript|css|png/);
    }
  });

  it.each(['/docs/assets/package.json/../../package.json', '/docs/assets/%2e%2e/package.json'])(
    'gives no file from outside: %s',
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );
});

describe('what operators ask', () => {
  it('is answered by status: alive, and ready or not', async () => {
    expect((await get('/health')).status).toBe(200);
    expect((await get('/ready')).status).toBe(200);
    ready = false;
    const answer = await get('/ready');
    expect([answer.status, answer.body]).toEqual([503, { ready: false, checks: { database: false } }]);
    expect((await get('/health')).status).toBe(200);
  });

  it('is counted by its own name but fills no log', async () => {
    await get('/metrics');
    expect(await kit.metricsText()).toMatch(/http_requests_total\{[^}]*route="\/metrics"/);
    expect(kit.lines.filter((line) => line['path'] === '/metrics')).toEqual([]);
  });
});

describe('what gateways ask', () => {
  it('is which routes there are, what each needs, and which permissions the service declares', async () => {
    const { body } = await get('/internal/shop/routes');
    expect(body).toEqual({
      service: 'shop',
      version: '1.2.3',
      digest: described.digest,
      permissions: ['shop.price.set'],
      routes: [
        {
          method: 'GET',
          path: '/api/v1/shop/prices',
          access: 'public',
          deprecated: { since: '2026-01-01', sunset: '2027-01-01', successor: '/api/v2/shop/prices' },
        },
        {
          method: 'POST',
          path: '/api/v1/shop/prices/import',
          access: 'signed-in',
          streams: true,
          secret: true,
        },
        { method: 'POST', path: '/api/v1/shop/prices/{id}', access: 'shop.price.set' },
      ],
    });
    expect(ServiceDescription.parse(body)).toEqual(described.description);
  });

  it('is answered in a word to who knows it already', async () => {
    const answer = await get('/internal/shop/routes').set('if-none-match', `"${described.digest}"`);
    expect([answer.status, answer.text]).toEqual([304, '']);
  });

  it('has one digest for the same routes in any order and version, and another for other routes', () => {
    const digestOf = (of: typeof endpoints, version: string) =>
      describedService('shop', of, { version, permissions: [{ name: 'shop.price.set' }] }).digest;
    expect(digestOf(endpoints.toReversed(), '9')).toBe(described.digest);
    expect(digestOf(endpoints.slice(1), '1.2.3')).not.toBe(described.digest);
  });
});

interface Description {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly required: boolean }[];
  readonly responses: Record<string, unknown>;
}
