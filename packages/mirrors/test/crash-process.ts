// A process that fills the mirror of partners, asking the service that has them, until it is killed.
import { createLog, createMetrics } from '@marimo/observability';
import { openDatabase, passwordOf, type ServerAddress } from '@marimo/postgres';
import type { ServiceClient } from '@marimo/resilience';
import { partnerMirror } from '@marimo/testing/records';
import { startMirrors } from '../src/index.ts';

export interface CrashOrder {
  readonly server: ServerAddress;
  readonly url: string;
  readonly token: string;
}

const { server, url, token }: CrashOrder = JSON.parse(process.env['CRASH_ORDER'] ?? '');
const log = createLog({ service: 'config', level: 'silent' });
const metrics = createMetrics('config');
const open = (role: 'app' | 'relay') =>
  openDatabase({
    server,
    schema: 'config',
    role,
    password: passwordOf(`config_${role}`, 'testing'),
    metrics: createMetrics('config'),
    log,
  });

const call = async (...[endpoint, { query }]: Parameters<ServiceClient['call']>) => {
  const search = new URLSearchParams(query as Record<string, string>).toString();
  const response = await fetch(`${url}${endpoint.path}?${search}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: 200, body: endpoint.replies[200]?.parse(await response.json()) };
};
const client = { call } as unknown as ServiceClient;
startMirrors({
  mirrors: [partnerMirror],
  database: open('app'),
  relayDatabase: open('relay'),
  client,
  log,
  metrics,
});
