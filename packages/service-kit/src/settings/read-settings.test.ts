import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ActingService, type ServiceName } from '@marimo/contracts';
import { defineService } from '../service.ts';
import { readSettings } from './read-settings.ts';
import { weaknessOf } from './secrets.ts';
import { secretOf, serviceSecretOf } from './service-secrets.ts';
import { SettingsInvalid } from './settings-invalid.ts';

const good = 'Zq8-fJ2_kL0vXw7Rb3Tn9YcUe5HsGa1M';
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'marimo-settings-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const read = (env: Record<string, string>) => readSettings({ MARIMO_HOME: home, ...env });
const readFor = (names: readonly ServiceName[], env: Record<string, string>) =>
  readSettings(
    { MARIMO_HOME: home, ...env },
    names.map((name) => defineService({ name })),
  );
const problemsOf = (env: Record<string, string>, running: readonly ServiceName[] = []): readonly string[] => {
  try {
    readFor(running, env);
  } catch (error) {
    if (error instanceof SettingsInvalid) return error.problems;
    throw error;
  }
  return [];
};

describe('an empty environment', () => {
  it('means that everything is embedded and on its usual port', () => {
    const settings = read({});
    expect(settings).toMatchObject({
      production: false,
      home,
      logLevel: 'info',
      host: '127.0.0.1',
      advertiseHost: '127.0.0.1',
      database: undefined,
      rabbitmqUrl: undefined,
      redis: undefined,
      consulAddress: undefined,
      migrateAtStart: true,
    });
    expect(settings.portalUrl).toBe('http://localhost:8080');
    expect(settings.ports).toMatchObject({ gateway: 8080, users: 8081, workers: 8088 });
  });

  it('takes an empty variable for an unset one', () => {
    expect(read({ DB_HOST: '', REDIS_ADDR: ' ', USERS_PORT: '' })).toMatchObject({
      database: undefined,
      redis: undefined,
    });
  });

  it('makes the secret of services, keeps it for the next start, and lets only its owner read it', () => {
    const first = read({}).serviceSecrets;
    expect('internal' in first ? first.internal.length : 0).toBeGreaterThanOrEqual(64);
    expect(read({}).serviceSecrets).toEqual(first);
    expect(statSync(join(home, 'secrets', 'internal')).mode & 0o077).toBe(0);
    expect(readdirSync(join(home, 'secrets'))).toEqual(['internal']);
  });
});

describe('a full environment', () => {
  it('is read to the last variable', () => {
    const settings = read({
      HOST: '0.0.0.0',
      ADVERTISE_HOST: '10.0.0.7',
      USERS_PORT: '9001',
      DB_HOST: 'db',
      DB_PORT: '6432',
      DB_USER: 'root',
      DB_PASSWORD: 'p',
      DB_NAME: 'erp',
      DB_REPLICA_HOST: 'replica',
      USERS_DB_PASSWORD: 'own',
      DB_MIGRATE: 'never',
      RABBITMQ_URL: 'amqp://a:b@mq:5672/v',
      REDIS_ADDR: 'cache:6379',
      REDIS_PASSWORD: 'r',
      CONSUL_ADDR: 'http://consul:8500',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://jaeger:4318',
      MAIL_FROM: 'erp@example.com',
      INTERNAL_SECRET: 'and here',
      PORTAL_URL: 'https://erp.example.com/',
      LOG_LEVEL: 'warn',
      FILES_PER_ORGANISATION_MIB: '5',
      DRAIN_MS: '500',
    });
    expect(settings).toMatchObject({
      host: '0.0.0.0',
      advertiseHost: '10.0.0.7',
      ports: { users: 9001, gateway: 8080 },
      database: {
        host: 'db',
        port: 6432,
        user: 'root',
        password: 'p',
        database: 'erp',
        replicaHost: 'replica',
      },
      rolePasswords: { users: 'own' },
      migrateAtStart: false,
      rabbitmqUrl: 'amqp://a:b@mq:5672/v',
      redis: { address: 'cache:6379', password: 'r' },
      consulAddress: 'http://consul:8500',
      serviceSecrets: { internal: 'and here' },
      portalUrl: 'https://erp.example.com',
      logLevel: 'warn',
      filesPerOrganisationBytes: 5_242_880,
      drainMs: 500,
    });
    expect(readdirSync(home)).toEqual([]);
  });
});

describe('where files are kept', () => {
  const whole = {
    S3_ENDPOINT: 'http://minio:9000',
    S3_BUCKET: 'marimo',
    S3_ACCESS_KEY: 'marimo',
    S3_SECRET_KEY: good,
  };
  const store = { endpoint: 'http://minio:9000', bucket: 'marimo', accessKey: 'marimo', secretKey: good };

  it('is a folder, unless S3 is named with its bucket and keys', () => {
    expect(read({}).s3).toBeUndefined();
    expect(read(whole).s3).toEqual(store);
    expect(read({ ...whole, S3_REGION: 'eu-central-1' }).s3).toEqual({ ...store, region: 'eu-central-1' });
  });
});

describe('a broken environment', () => {
  it('is told in full, by name and without the values', () => {
    const problems = problemsOf({
      USERS_PORT: '80a81',
      GATEWAY_PORT: '70000',
      DB_PORT: '-1',
      REDIS_ADDR: 'redis',
      RABBITMQ_URL: 'http://hidden-password@mq',
      LOG_LEVEL: 'loud',
      FILES_PER_ORGANISATION_MIB: '-1',
      DRAIN_MS: '1e9',
    });
    expect(new Set(problems.map((problem) => problem.split(':')[0]))).toEqual(
      new Set([
        'DB_PORT',
        'FILES_PER_ORGANISATION_MIB',
        'DRAIN_MS',
        'GATEWAY_PORT',
        'LOG_LEVEL',
        'RABBITMQ_URL',
        'REDIS_ADDR',
        'USERS_PORT',
      ]),
    );
    expect(problems.join()).not.toContain('hidden-password');
  });

  it('is one where Consul would send others to an address that is everywhere', () => {
    const env = { HOST: '0.0.0.0', CONSUL_ADDR: 'consul:8500' };
    expect(problemsOf(env)).toEqual([expect.stringContaining('ADVERTISE_HOST')]);
    expect(problemsOf({ ...env, ADVERTISE_HOST: '10.0.0.7' })).toEqual([]);
  });

  it('is told together with what a service finds wrong with its own part', () => {
    const refusing = defineService({
      name: 'shop',
      settings: () => {
        throw new SettingsInvalid(['TILLS: a number']);
      },
    });
    const start = () => readSettings({ MARIMO_HOME: home, LOG_LEVEL: 'loud' }, [refusing]);
    expect(start).toThrow(/LOG_LEVEL[\s\S]*TILLS: a number/);
  });

  it.each([
    [
      { S3_ENDPOINT: 'https://s3.example.com' },
      'S3_ENDPOINT',
      ['S3_BUCKET', 'S3_ACCESS_KEY', 'S3_SECRET_KEY'],
    ],
    [{ S3_BUCKET: 'marimo', S3_SECRET_KEY: good }, 'S3_BUCKET', ['S3_ENDPOINT', 'S3_ACCESS_KEY']],
    [
      { S3_REGION: 'eu-central-1' },
      'S3_REGION',
      ['S3_ENDPOINT', 'S3_BUCKET', 'S3_ACCESS_KEY', 'S3_SECRET_KEY'],
    ],
  ])('is one that says half of where S3 is: %j', (env, given, missing) => {
    expect(problemsOf(env)).toEqual(missing.map((name) => `${name}: needed beside ${given}`));
  });

  it('is one where two services share a port', () => {
    expect(problemsOf({ USERS_PORT: '8083' })).toEqual(['USERS_PORT, ACCOUNTING_PORT: all are 8083']);
    expect(problemsOf({ USERS_PORT: '0', ACCOUNTING_PORT: '0' })).toEqual([]);
  });
});

describe('what a process proves itself with', () => {
  it('is its own secret where that is all it is given; then none of the others is made', () => {
    expect(read({ SERVICE_SECRET: 'its own' }).serviceSecrets).toEqual({ own: 'its own' });
    expect(existsSync(join(home, 'secrets', 'internal'))).toBe(false);
  });

  it('is what INTERNAL_SECRET says where both are given', () => {
    const both = { INTERNAL_SECRET: 'of all', SERVICE_SECRET: 'its own' };
    expect(read(both).serviceSecrets).toEqual({ internal: 'of all' });
    expect(readFor(['users', 'gateway'], both)).toBeDefined();
  });

  it('is another for each service, the same each time, and nothing of INTERNAL_SECRET', () => {
    const services = ActingService.options;
    const secrets = services.map((service) => secretOf({ internal: good }, service));
    expect(new Set(secrets).size).toBe(services.length);
    for (const secret of secrets) expect(weaknessOf(secret)).toBeUndefined();
    expect(secretOf({ internal: good }, 'workers')).toBe(secrets[services.indexOf('workers')]);
    expect(secretOf({ internal: `${good}x` }, 'workers')).not.toBe(secretOf({ internal: good }, 'workers'));
    // Computed elsewhere: printf workers | openssl dgst -sha256 -hmac secret -binary | base64url
    expect(serviceSecretOf('secret', 'workers')).toBe('TSCfzWovPmf7tZwxU5iVjYMt5c19tgOwwIvjdxC6-8s');
  });

  it.each<[string, readonly ServiceName[], string]>([
    ['users, which knows them all', ['users'], 'INTERNAL_SECRET: users'],
    ['several services', ['accounting', 'workers'], 'INTERNAL_SECRET: several'],
  ])('is not enough when it is one service’s, for %s', (_, running, problem) => {
    const start = () => readFor(running, { SERVICE_SECRET: good });
    expect(start).toThrow(problem);
    expect(readFor(['workers'], { SERVICE_SECRET: good })).toBeDefined();
  });
});

describe('in production', () => {
  const production = { NODE_ENV: 'production', INTERNAL_SECRET: good };

  it('starts on good secrets', () => {
    expect(problemsOf(production, ['users'])).toEqual([]);
    expect(problemsOf({ ...production, INTERNAL_SECRET: '', SERVICE_SECRET: good })).toEqual([]);
    expect(problemsOf({ ...production, DB_HOST: 'db', DB_PASSWORD: good })).toEqual([]);
    expect(problemsOf({ ...production, REDIS_ADDR: `rediss://:${good}@cache:6380` })).toEqual([]);
  });

  it.each([
    ['a short INTERNAL_SECRET', { INTERNAL_SECRET: good.slice(1) }, 'INTERNAL_SECRET'],
    ['an example', { INTERNAL_SECRET: 'your-secret-key-change-in-production-0123456789' }, 'INTERNAL_SECRET'],
    ['one letter', { INTERNAL_SECRET: 'x'.repeat(64) }, 'INTERNAL_SECRET'],
    ['no INTERNAL_SECRET', { INTERNAL_SECRET: '' }, 'INTERNAL_SECRET'],
    ['a short SERVICE_SECRET', { INTERNAL_SECRET: '', SERVICE_SECRET: 'short' }, 'SERVICE_SECRET'],
    ['no DB_PASSWORD', { DB_HOST: 'db' }, 'DB_PASSWORD'],
    ['the default DB_PASSWORD', { DB_HOST: 'db', DB_PASSWORD: 'postgres' }, 'DB_PASSWORD'],
    ['a Redis open to all', { REDIS_ADDR: 'cache:6379' }, 'REDIS_PASSWORD'],
    ['the broker of everyone', { RABBITMQ_URL: 'amqp://guest:guest@mq' }, 'RABBITMQ_URL'],
    ['a broker without password', { RABBITMQ_URL: 'amqp://mq' }, 'RABBITMQ_URL'],
    ['a short role password', { USERS_DB_PASSWORD: 'abc' }, 'USERS_DB_PASSWORD'],
  ])('refuses %s', (_, env, name) => {
    expect(problemsOf({ ...production, ...env }, ['workers'])).toEqual([
      expect.stringMatching(`^${name}: production`),
    ]);
  });
});
