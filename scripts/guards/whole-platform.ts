import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceName, servicePorts } from '@marimo/contracts';
import { createLog } from '@marimo/observability';
import { asAdministrator, type ServerAddress, startEmbeddedServer } from '@marimo/postgres';
import { makeSigner, type TestSigner } from '@marimo/testing';
import {
  environmentOf,
  freshMachine,
  type RunningPlatform,
  startPlatformProcess,
} from '../start/platform-under-test.ts';
import { run } from '../steps/run.ts';

/** The real platform, every service of it, that also believes the keys of a signer of ours. */
export interface WholePlatform {
  readonly platform: RunningPlatform;
  readonly signer: TestSigner;
  readonly database: ServerAddress;
  /** Where each service that runs can be reached without the gateway. */
  addressOf(service: ServiceName): string;
  /** Runs one of our scripts as the operator of this platform does. */
  command(script: string, ...args: readonly string[]): Promise<{ code: number; output: string }>;
  stop(): Promise<void>;
}

/** Limits stand out of the way: these tests ask thousands of times from one address. */
const unlimited = '1000000/s,burst=1000000';
const limitsOff = Object.fromEntries(
  ['LOGIN', 'REGISTER', 'PROOF', 'CALLER', 'USER', 'KEY', 'ADDRESS'].map((name) => [
    `RATE_LIMIT_${name}`,
    unlimited,
  ]),
);

async function startWholePlatform(settings: Readonly<Record<string, string>>): Promise<WholePlatform> {
  const started = new AsyncDisposableStack();
  try {
    const machine = await freshMachine();
    started.defer(() => machine.remove());
    const directory = await mkdtemp(join(tmpdir(), 'marimo-guards-'));
    started.defer(() => rm(directory, { recursive: true, force: true }));
    const log = createLog({ service: 'guards', level: 'silent' });
    const database = await startEmbeddedServer({ directory: join(directory, 'postgres'), log });
    started.defer(database.stop);
    const { host, port, user, password, database: name } = database.server;
    const env = {
      ...limitsOff,
      DB_HOST: host,
      DB_PORT: String(port),
      DB_USER: user,
      DB_PASSWORD: password,
      DB_NAME: name,
      ...settings,
    };
    const migrated = await run(process.execPath, ['scripts/migrate.ts'], {
      quiet: true,
      env: environmentOf({ ...machine, env }),
    });
    if (migrated.code !== 0) throw new Error(migrated.output);
    const signer = makeSigner();
    await asAdministrator(database.server, (client) =>
      // It never signs: it begins to in a year. Every verifier fetches it with the others.
      client.query(
        `insert into users.signing_key (kid, public_key, sealed_private, signs_from)
         values ($1, $2, '\\x00', now() + interval '1 year')`,
        [signer.jwk.kid, JSON.stringify(signer.jwk)],
      ),
    );
    const platform = await startPlatformProcess({ ...machine, env });
    started.defer(async () => {
      await platform.kill();
    });
    return {
      platform,
      signer,
      database: database.server,
      addressOf: (service) =>
        `http://127.0.0.1:${machine.ports[`${service.toUpperCase()}_PORT`] ?? servicePorts[service]}`,
      command: (script, ...args) =>
        run(process.execPath, [`scripts/${script}.ts`, ...args], {
          quiet: true,
          env: environmentOf({ ...machine, env }),
        }),
      stop: () => started.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

/** The platform of this file of tests: started before the first, stopped after the last. */
export function useWholePlatform(settings: Readonly<Record<string, string>>): WholePlatform {
  let started: WholePlatform | undefined;
  beforeAll(async () => {
    started = await startWholePlatform(settings);
  });
  afterAll(() => started?.stop());
  return new Proxy({} as WholePlatform, {
    get(_, member) {
      if (started === undefined) throw new Error('The platform exists only while tests run');
      return Reflect.get(started, member);
    },
  });
}
