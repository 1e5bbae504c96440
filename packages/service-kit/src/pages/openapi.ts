import {
  type AnyEndpoint,
  anyContentType,
  BodyTooLarge,
  DeadlineExceeded,
  FileContent,
  Forbidden,
  IdempotencyKeyReused,
  isForServices,
  MalformedRequest,
  RequestStillRunning,
  Unauthenticated,
  UnsupportedMediaType,
} from '@marimo/contracts';
import { type DeclaredRefusal, Problem, problemContentType, problemType, statusOf } from '@marimo/problems';
import { z } from 'zod';
import { keepsAnswers } from '../idempotency/declared.ts';

type Json = Record<string, unknown>;

export interface OpenApiOptions {
  readonly title: string;
  readonly version: string;
  readonly endpoints: readonly AnyEndpoint[];
}

/** OpenAPI 3.1 of the endpoints, from the same declarations that check the requests. */
export function openApiOf({ title, version, endpoints }: OpenApiOptions): Json {
  const schemas: Json = { Problem: schemaOf(Problem, {}) };
  const paths = [...Map.groupBy(endpoints, ({ path }) => path)].map(([path, ofPath]) => {
    const operations = ofPath.map((one) => [one.method.toLowerCase(), operation(one, schemas)] as const);
    return [path, Object.fromEntries(operations)] as const;
  });
  return {
    openapi: '3.1.0',
    info: { title, version },
    paths: Object.fromEntries(paths),
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
    },
  };
}

function operation(endpoint: AnyEndpoint, schemas: Json): Json {
  const { summary, access, path, body, deprecated } = endpoint;
  return {
    summary,
    tags: [tagOf(path)],
    ...neededFor(access),
    ...(deprecated !== undefined && { deprecated: true, 'x-sunset': deprecated.sunset }),
    security: access === 'public' ? [] : [{ bearer: [] }],
    parameters: parametersOf(endpoint, schemas),
    ...(body !== undefined && { requestBody: { required: true, content: contentOf(body, schemas) } }),
    responses: { ...repliesOf(endpoint, schemas), ...refusalsOf(endpoint, schemas) },
  };
}

function neededFor(access: AnyEndpoint['access']): Json {
  if (typeof access !== 'object') return {};
  if (isForServices(access)) {
    const names = access.services.map((name) => `\`${name}\``).join(', ');
    return {
      description: `For services acting for themselves, with a token of their own: ${names}.`,
      'x-services': access.services,
    };
  }
  return { description: `Needs the permission \`${access.name}\`.`, 'x-permission': access.name };
}

/** `/api/v1/accounting/journal-entries/{id}`: journal-entries. */
function tagOf(path: string): string {
  return path.split('/')[4] ?? path;
}

function parametersOf(endpoint: AnyEndpoint, schemas: Json): Json[] {
  const from = (place: 'path' | 'query', schema: z.ZodType | undefined): Json[] => {
    if (schema === undefined) return [];
    const { properties = {}, required = [] } = schemaOf(schema, schemas) as {
      properties?: Json;
      required?: string[];
    };
    return Object.entries(properties).map(([name, ofParameter]) => ({
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      schema: ofParameter,
    }));
  };
  const key = {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    schema: { type: 'string', maxLength: 255 },
  };
  return [
    ...from('path', endpoint.params),
    ...from('query', endpoint.query),
    ...(keepsAnswers(endpoint) ? [key] : []),
  ];
}

function contentOf(body: NonNullable<AnyEndpoint['body']>, schemas: Json): Json {
  if (!('stream' in body)) return { 'application/json': { schema: schemaOf(body, schemas) } };
  return Object.fromEntries(body.stream.map((type) => [type, { schema: { type: 'string' } }]));
}

function repliesOf({ replies }: AnyEndpoint, schemas: Json): Json {
  return Object.fromEntries(
    Object.entries(replies).map(([status, schema]) => {
      const isEmpty = schema instanceof z.ZodNull;
      const content =
        schema === FileContent
          ? { [anyContentType]: { schema: { type: 'string', format: 'binary' } } }
          : { 'application/json': { schema: schemaOf(schema, schemas) } };
      return [status, { description: isEmpty ? 'Done' : 'The answer', ...(!isEmpty && { content }) }];
    }),
  );
}

function refusalsOf(endpoint: AnyEndpoint, schemas: Json): Json {
  const byStatus = Map.groupBy(refusalsGivenBy(endpoint), ({ definition }) => statusOf(definition.kind));
  return Object.fromEntries(
    [...byStatus].map(([status, refusals]) => {
      const refs = refusals.map((refusal) => refusalSchema(refusal, schemas));
      const schema = refs.length === 1 ? refs[0] : { oneOf: refs };
      const description = refusals.map(({ definition }) => definition.title).join('; or: ');
      return [status, { description, content: { [problemContentType]: { schema } } }];
    }),
  );
}

/** Those it declares, and those the kit gives for it. */
function refusalsGivenBy(endpoint: AnyEndpoint): DeclaredRefusal[] {
  const { access, params, query, body, refusals = [] } = endpoint;
  const given: DeclaredRefusal[] = [...refusals, DeadlineExceeded];
  if (params ?? query ?? body) given.push(MalformedRequest);
  if (body !== undefined) given.push(BodyTooLarge, UnsupportedMediaType);
  if (access !== 'public') given.push(Unauthenticated);
  if (typeof access === 'object') given.push(Forbidden);
  if (keepsAnswers(endpoint)) given.push(IdempotencyKeyReused, RequestStillRunning);
  return given;
}

function refusalSchema({ definition, facts }: DeclaredRefusal, schemas: Json): Json {
  const { code, title } = definition;
  schemas[code] ??= {
    title,
    allOf: [
      { $ref: '#/components/schemas/Problem' },
      schemaOf(facts, schemas),
      { properties: { type: { const: problemType(code) }, code: { const: code } } },
    ],
  };
  return { $ref: `#/components/schemas/${code}` };
}

/** The wire form of a schema; what it names is moved to the components. */
function schemaOf(schema: z.ZodType, schemas: Json): Json {
  const {
    $schema: _dialect,
    $defs = {},
    ...own
  } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json;
  const [moved, definitions] = JSON.parse(
    JSON.stringify([own, $defs]).replaceAll('"#/$defs/', '"#/components/schemas/'),
  );
  Object.assign(schemas, definitions);
  return moved;
}
