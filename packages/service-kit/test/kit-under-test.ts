import type { Server } from 'node:http';
import { ActingService, rolesGrant, Unauthenticated } from '@marimo/contracts';
import { createLog, createMetrics } from '@marimo/observability';
import type { Database, TenantTransaction, Transaction } from '@marimo/postgres';
import { type AppOptions, createApp } from '../src/http/app.ts';
import { createHardenedServer, listen, type ServerLimits } from '../src/http/listen.ts';
import type { Caller, CallingService, Route, TokenVerifier } from '../src/index.ts';

export const tenantId = '0192f0c8-0000-7000-8000-000000000001';
export const userId = '0192f0c8-0000-7000-8000-000000000002';

/** A token is the list of its roles, `admin`, `user-accountant`; of a service its name, `service.workers`. */
export const rolesAsToken: TokenVerifier = {
  verify: async (bearer): Promise<Caller> => {
    if (bearer === 'forged' || bearer.startsWith('service.')) throw new Unauthenticated({});
    const roles = bearer.split('-');
    return {
      userId,
      tenantId,
      sessionId: userId,
      roles,
      grants: [],
      permissionsVersion: '1',
      authenticatedAt: new Date(),
      methods: ['pwd'],
      bearer,
      may: (permission) => rolesGrant(roles, permission),
    };
  },
  verifyService: async (bearer): Promise<CallingService> => {
    const [kind, name, place] = bearer.split('.');
    if (kind !== 'service') throw new Unauthenticated({});
    return { name: ActingService.parse(name), tenantId: place === 'here' ? tenantId : undefined };
  },
};

/** Runs the work at once; for what does not depend on the database. */
export const noDatabase: Database = {
  schema: 'test',
  inTenant: (id, work) => work({ tenantId: id } as TenantTransaction),
  withoutTenant: (work) => work({ tenantId: null } as Transaction),
  ping: async () => {},
  close: async () => {},
};

export interface KitUnderTest {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  readonly lines: Record<string, unknown>[];
  metricsText(): Promise<string>;
  stop(): Promise<void>;
}

export async function kitUnderTest(
  routes: readonly Route[],
  options: Partial<AppOptions> & ServerLimits = {},
): Promise<KitUnderTest> {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ service: 'test', write: (line) => lines.push(JSON.parse(line)) });
  const metrics = createMetrics('test');
  const app = createApp({
    service: 'test',
    database: noDatabase,
    verifier: rolesAsToken,
    routes,
    log,
    metrics,
    clock: () => new Date(),
    ...options,
  });
  const server = createHardenedServer(app, options);
  const listening = await listen(server, 0, '127.0.0.1');
  const { port } = listening.address;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    lines,
    metricsText: () => metrics.render(),
    stop: () => listening.close(1_000),
  };
}
