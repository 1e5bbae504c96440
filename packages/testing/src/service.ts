import {
  type ActingService,
  type Envelope,
  type EventData,
  type EventDefinition,
  isForServices,
  newId,
} from '@marimo/contracts';
import { serviceTokens } from '@marimo/contracts/users';
import type { Quarantine } from '@marimo/files';
import type { ServiceClient } from '@marimo/resilience';
import {
  kitMigrations,
  type RunningService,
  type ServiceDefinition,
  serviceSecretOf,
  startService,
} from '@marimo/service-kit';
import supertest from 'supertest';
import { z } from 'zod';
import { callOver, type TypedCall } from './call.ts';
import { type CommandClaims, commandClaims } from './command-claims.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { memoryTransport } from './memory-transport.ts';
import { platformForTests, testInternalSecret } from './platform.ts';
import { serviceTokenFor, testTenantId, tokenFor } from './tokens.ts';

export interface ServiceUnderTestOptions {
  /** The token calls carry unless they say otherwise: an administrator's; null for none. */
  readonly as?: string | null;
  /** Answers the service's calls to other services; those for keys and revocations are answered already. */
  readonly client?: Pick<ServiceClient, 'call'>;
  readonly clock?: () => Date;
  /** Looks at each file; everything passes unless told. */
  readonly quarantine?: Quarantine;
  /** False: jobs, sagas and what else the service does by itself stay off; the test does it when it wants to. */
  readonly background?: boolean;
}

export interface ServiceUnderTest extends CommandClaims {
  readonly call: TypedCall;
  /** All rows of a table, of every tenant. */
  rows<Row = Record<string, unknown>>(table: string): Promise<Row[]>;
  /** Every event the service has put into its outbox, published or not, in the order it happened. */
  events(): Promise<Envelope[]>;
  /** Hands an event to the service's consumers as the broker would, and waits for its effect. */
  deliver<E extends EventDefinition>(event: E, given: DeliveredEvent<E>): Promise<void>;
  /** For what `call` would not send: requests as they are, without contract or token. */
  readonly http: ReturnType<typeof supertest>;
  readonly url: string;
  readonly database: TestDatabase;
  readonly running: RunningService;
  stop(): Promise<void>;
}

export interface DeliveredEvent<E extends EventDefinition> {
  readonly data: EventData<E>;
  readonly subject?: string;
  readonly tenantId?: string;
  readonly actorId?: string;
  /** The same id again is the same event delivered twice. */
  readonly id?: string;
  /** When it happened; now unless told. */
  readonly time?: string;
}

/**
 * Starts the service as production does, on a database of its own cloned from a migrated template, on a free port,
 * with a broker and a `users` that live in memory.
 */
export async function serviceUnderTest(
  definition: ServiceDefinition,
  options: ServiceUnderTestOptions = {},
): Promise<ServiceUnderTest> {
  const { name: schema, migrations } = definition;
  const { background = true } = options;
  const folders = [...kitMigrations, ...(migrations === undefined ? [] : [migrations])];
  const database = await testDatabase({ schema, folders });
  const transport = memoryTransport();
  const platform = platformForTests({ ...options, definition, database, transport });
  const running = await startService(definition, platform, { background }).catch(async (error: unknown) => {
    await database.drop();
    throw error;
  });
  const url = `http://127.0.0.1:${running.address.port}`;
  const { as: usual = tokenFor() } = options;
  /** `users` believes only what it has signed itself. */
  const tokenOf = async (service: ActingService, organisationId: string | undefined) => {
    if (schema !== 'users') return serviceTokenFor(service, organisationId);
    const secret = serviceSecretOf(testInternalSecret, service);
    const body = { service, secret, organisationId };
    const issued = await callOver(url, serviceTokens.issue, { body }, {});
    return issued.body.accessToken;
  };

  const underTest: Omit<ServiceUnderTest, keyof CommandClaims> = {
    url,
    http: supertest(url),
    database,
    running,
    async call(endpoint, input, { asService, ...given } = {}) {
      const [first] = isForServices(endpoint.access) ? endpoint.access.services : [];
      const service = given.as === undefined ? (asService ?? first) : undefined;
      const as = service === undefined ? usual : await tokenOf(service, input.organisationId);
      return callOver(url, endpoint, input, { as, ...given });
    },
    rows: (table) => database.rows(table),
    async events() {
      // The outbox first: what the relay moves meanwhile is then found on the other side.
      const waiting = await database.rows<{ envelope: Envelope }>('outbox');
      const all = [...transport.published, ...waiting.map(({ envelope }) => envelope)];
      return [...new Map(all.map((envelope) => [envelope.id, envelope])).values()];
    },
    deliver: (event, given) => transport.deliver(envelopeOf(event, given)),
    async stop() {
      await running.stop();
      await platform.close();
      await database.drop();
    },
  };
  return { ...underTest, ...commandClaims(underTest) };
}

function envelopeOf<E extends EventDefinition>(event: E, given: DeliveredEvent<E>): Envelope {
  const { data, id = newId(), subject = newId(), tenantId = testTenantId, actorId } = given;
  const { time = new Date().toISOString() } = given;
  return {
    specversion: '1.0',
    id,
    source: `/services/${event.type.split('.', 1)[0]}`,
    type: event.type,
    subject,
    time,
    datacontenttype: 'application/json',
    tenantid: tenantId,
    ...(actorId !== undefined && { actorid: actorId }),
    data: z.encode(event.data, data) as Envelope['data'],
  };
}
