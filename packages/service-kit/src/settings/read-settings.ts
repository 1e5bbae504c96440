import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ServiceName, servicePorts } from '@marimo/contracts';
import type { ServiceDefinition } from '../service.ts';
import { type ReadEnvironment, readEnvironment } from './environment.ts';
import type { Environment } from './own-settings.ts';
import { keptSecret, weaknessesOf } from './secrets.ts';
import type { Settings } from './settings.ts';
import { SettingsInvalid } from './settings-invalid.ts';

const project = fileURLToPath(new URL('../../../../', import.meta.url));

/**
 * Reads the environment once, for the platform and for the services that this process runs. What is unset means embedded.
 *
 * Errors: SettingsInvalid, with all that is wrong for any of them.
 */
export function readSettings(env: Environment, running: readonly ServiceDefinition[] = []): Settings {
  const read = readEnvironment(env);
  const { values, rolePasswords } = read;
  const production = values.NODE_ENV === 'production';
  const ports = { ...servicePorts, ...read.ports };
  const portalUrl = (values.PORTAL_URL ?? `http://localhost:${ports.gateway}`).replace(/\/+$/, '');
  const names = running.map(({ name }) => name);
  const problems = [
    ...read.problems,
    ...sharedPorts(ports),
    ...unreachable(read),
    ...halfOfS3(read),
    ...narrowSecret(read, names),
    ...(production ? weakSecrets(read) : []),
  ];
  const home = resolve(project, values.MARIMO_HOME ?? '.marimo');
  const host = values.HOST ?? '127.0.0.1';
  const platform = {
    production,
    home,
    logLevel: values.LOG_LEVEL ?? 'info',
    host,
    advertiseHost: values.ADVERTISE_HOST ?? (isEverywhere(host) ? '127.0.0.1' : host),
    ports,
    database: databaseOf(read),
    rolePasswords,
    migrateAtStart: values.DB_MIGRATE !== 'never',
    rabbitmqUrl: values.RABBITMQ_URL,
    redis:
      values.REDIS_ADDR === undefined
        ? undefined
        : { address: values.REDIS_ADDR, password: values.REDIS_PASSWORD },
    consulAddress: values.CONSUL_ADDR,
    s3: s3Of(read),
    filesPerOrganisationBytes: (values.FILES_PER_ORGANISATION_MIB ?? 10_240) * 1_048_576,
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    serviceSecrets: serviceSecretsOf(read, home),
    portalUrl,
    drainMs: values.DRAIN_MS ?? 10_000,
  };
  const own = new Map<ServiceName, unknown>();
  for (const { name, settings } of running) {
    try {
      own.set(name, settings?.(env, { ...platform, own }));
    } catch (error) {
      if (!(error instanceof SettingsInvalid)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new SettingsInvalid(problems);
  return { ...platform, own };
}

function databaseOf({ values }: ReadEnvironment): Settings['database'] {
  if (values.DB_HOST === undefined) return undefined;
  return {
    host: values.DB_HOST,
    port: values.DB_PORT ?? 5432,
    user: values.DB_USER ?? 'postgres',
    password: values.DB_PASSWORD ?? '',
    database: values.DB_NAME ?? 'marimo',
    ...(values.DB_REPLICA_HOST !== undefined && { replicaHost: values.DB_REPLICA_HOST }),
  };
}

function s3Of({ values }: ReadEnvironment): Settings['s3'] {
  const { S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY, S3_REGION } = values;
  if (!S3_ENDPOINT || !S3_BUCKET || !S3_ACCESS_KEY || !S3_SECRET_KEY) return undefined;
  return {
    endpoint: S3_ENDPOINT,
    bucket: S3_BUCKET,
    accessKey: S3_ACCESS_KEY,
    secretKey: S3_SECRET_KEY,
    ...(S3_REGION !== undefined && { region: S3_REGION }),
  };
}

/** Files would go into a folder of one machine while somebody believes them in S3. */
function halfOfS3({ values }: ReadEnvironment): string[] {
  const needed = ['S3_ENDPOINT', 'S3_BUCKET', 'S3_ACCESS_KEY', 'S3_SECRET_KEY'] as const;
  const given = [...needed, 'S3_REGION' as const].find((name) => values[name] !== undefined);
  if (given === undefined) return [];
  return needed.filter((name) => values[name] === undefined).map((name) => `${name}: needed beside ${given}`);
}

function sharedPorts(ports: Settings['ports']): string[] {
  const byPort = Map.groupBy(Object.entries(ports), ([, port]) => port);
  return [...byPort]
    .filter(([port, users]) => port !== 0 && users.length > 1)
    .map(
      ([port, users]) =>
        `${users.map(([service]) => `${service.toUpperCase()}_PORT`).join(', ')}: all are ${port}`,
    );
}

/** `INTERNAL_SECRET` is right for every service a process may run, so where it is given `SERVICE_SECRET` is not used. */
function serviceSecretsOf({ values }: ReadEnvironment, home: string): Settings['serviceSecrets'] {
  const { INTERNAL_SECRET, SERVICE_SECRET } = values;
  if (INTERNAL_SECRET === undefined && SERVICE_SECRET !== undefined) return { own: SERVICE_SECRET };
  return { internal: INTERNAL_SECRET ?? keptSecret(home, 'internal') };
}

/** The secret of one service is enough for a process of that service, unless it is the one that knows them all. */
function narrowSecret({ values }: ReadEnvironment, running: readonly ServiceName[]): string[] {
  if (values.INTERNAL_SECRET !== undefined || values.SERVICE_SECRET === undefined) return [];
  if (running.length > 1) return ['INTERNAL_SECRET: several services in one process need it'];
  return running.includes('users')
    ? ['INTERNAL_SECRET: users needs it to know the secret of each service']
    : [];
}

/** Only secrets of what is really used: embedded parts make their own. */
function weakSecrets({ values, rolePasswords }: ReadEnvironment): string[] {
  const { INTERNAL_SECRET, SERVICE_SECRET } = values;
  const needed: Record<string, string | undefined> = {};
  if (INTERNAL_SECRET === undefined && SERVICE_SECRET !== undefined)
    needed['SERVICE_SECRET'] = SERVICE_SECRET;
  else needed['INTERNAL_SECRET'] = INTERNAL_SECRET;
  if (values.DB_HOST !== undefined) needed['DB_PASSWORD'] = values.DB_PASSWORD;
  if (values.REDIS_ADDR !== undefined) {
    needed['REDIS_PASSWORD'] = values.REDIS_PASSWORD ?? passwordIn(values.REDIS_ADDR);
  }
  if (values.RABBITMQ_URL !== undefined) needed['RABBITMQ_URL'] = passwordIn(values.RABBITMQ_URL);
  for (const [service, password] of Object.entries(rolePasswords)) {
    needed[`${service.toUpperCase()}_DB_PASSWORD`] = password;
  }
  return Object.entries(needed).flatMap(([name, secret]) => weaknessesOf(name, secret));
}

function passwordIn(address: string): string | undefined {
  return address.includes('://') ? decodeURIComponent(new URL(address).password) || undefined : undefined;
}

/** What Consul tells other machines must lead them here. */
function unreachable({ values }: ReadEnvironment): string[] {
  const isAmbiguous =
    values.HOST !== undefined && isEverywhere(values.HOST) && values.ADVERTISE_HOST === undefined;
  if (values.CONSUL_ADDR === undefined || !isAmbiguous) return [];
  return [`ADVERTISE_HOST: needed beside CONSUL_ADDR, as others cannot call ${values.HOST}`];
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
