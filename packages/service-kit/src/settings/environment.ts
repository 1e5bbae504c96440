import { type ServiceName, servicePorts } from '@marimo/contracts';
import { z } from 'zod';
import { url, wholeNumber, withoutEmpty } from './own-settings.ts';

const Port = wholeNumber('a port is a number from 0 to 65535; 0 takes any free one', 65_535);
const HostAndPort = z
  .string()
  .regex(/^(\[[\da-f:]+\]|[\w.-]+):\d{1,5}$/i, 'an address is host:port, such as localhost:6379');

const services = Object.keys(servicePorts) as ServiceName[];
const perService = <V extends z.ZodType>(suffix: string, schema: V) =>
  Object.fromEntries(services.map((service) => [`${service.toUpperCase()}_${suffix}`, schema.optional()]));

/** Every variable we read, by its own name. Nothing here has a default: those are in one place, `readSettings`. */
const Environment = z
  .object({
    NODE_ENV: z.string(),
    MARIMO_HOME: z.string(),
    LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
    HOST: z.string(),
    ADVERTISE_HOST: z.string(),
    DB_HOST: z.string(),
    DB_PORT: Port,
    DB_USER: z.string(),
    DB_PASSWORD: z.string(),
    DB_NAME: z.string(),
    DB_REPLICA_HOST: z.string(),
    DB_MIGRATE: z.enum(['start', 'never']),
    RABBITMQ_URL: url('amqp', 'amqps'),
    REDIS_ADDR: z.union(
      [HostAndPort, url('redis', 'rediss')],
      'an address is host:port, or a URL such as rediss://redis:6380',
    ),
    REDIS_PASSWORD: z.string(),
    CONSUL_ADDR: z.union([HostAndPort, url('http', 'https')], 'an address is host:port, or a URL'),
    S3_ENDPOINT: url('http', 'https'),
    S3_BUCKET: z.string(),
    S3_ACCESS_KEY: z.string(),
    S3_SECRET_KEY: z.string(),
    S3_REGION: z.string(),
    FILES_PER_ORGANISATION_MIB: wholeNumber('mebibytes, at most 100000000', 100_000_000),
    OTEL_EXPORTER_OTLP_ENDPOINT: url('http', 'https'),
    INTERNAL_SECRET: z.string(),
    SERVICE_SECRET: z.string(),
    PORTAL_URL: url('http', 'https'),
    DRAIN_MS: wholeNumber('milliseconds, at most 600000', 600_000),
  })
  .partial();
const PerService = z.object({ ...perService('PORT', Port), ...perService('DB_PASSWORD', z.string()) });

type Environment = z.output<typeof Environment>;

export interface ReadEnvironment {
  readonly values: Environment;
  readonly ports: Partial<Record<ServiceName, number>>;
  readonly rolePasswords: Partial<Record<ServiceName, string>>;
  /** `NAME: what is wrong`; never a value, which may be a secret. */
  readonly problems: string[];
}

export function readEnvironment(env: Readonly<Record<string, string | undefined>>): ReadEnvironment {
  const given = withoutEmpty(env);
  const issues = [Environment, PerService].flatMap((schema) => schema.safeParse(given).error?.issues ?? []);
  // What is well is read on, so that what is weak is found together with what is broken.
  const broken = new Set(issues.map(({ path }) => path[0]));
  const well = Object.fromEntries(Object.entries(given).filter(([name]) => !broken.has(name)));
  const byService = PerService.parse(well);
  return {
    values: Environment.parse(well),
    ports: ofServices('PORT', byService) as ReadEnvironment['ports'],
    rolePasswords: ofServices('DB_PASSWORD', byService) as ReadEnvironment['rolePasswords'],
    problems: issues.map(({ path, message }) => `${String(path[0])}: ${message}`),
  };
}

function ofServices(suffix: string, data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const pairs = services.map((service) => [service, data[`${service.toUpperCase()}_${suffix}`]] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
}
