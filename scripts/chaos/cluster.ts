import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@marimo/contracts';
import { serviceSecretOf } from '@marimo/service-kit';
import { freePorts } from '@marimo/testing';
import { environmentOf, freshMachine } from '../start/platform-under-test.ts';
import { type RealSurroundings, realSurroundings } from '../start/surroundings.ts';
import { root, run } from '../steps/run.ts';

/** Two of each service, each a process of its own, on real servers: what a large company runs, on one machine. */
export interface Cluster {
  /** The gateways, as a load balancer in front would know them. */
  readonly origins: readonly string[];
  readonly surroundings: RealSurroundings;
  readonly instances: readonly ClusterInstance[];
  /** Until Consul, which forgets everybody when it is killed, has heard of all of them again. */
  untilKnown(): Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterInstance {
  readonly service: ServiceName;
  readonly origin: string;
  /** As a deployment does it: asked to end, waited for, started again on the same port, waited for. */
  replace(): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
}

const services: readonly ServiceName[] = ['users', 'accounting', 'workers', 'gateway'];
/** High enough to be out of the way, and still counted in Redis at each request. */
const limits = Object.fromEntries(
  ['LOGIN', 'REGISTER', 'PROOF', 'CALLER', 'USER', 'KEY', 'ADDRESS'].map((name) => [
    `RATE_LIMIT_${name}`,
    '100000/s,burst=100000',
  ]),
);

export async function startCluster(): Promise<Cluster> {
  const started = new AsyncDisposableStack();
  try {
    const machine = await freshMachine();
    started.defer(() => machine.remove());
    const surroundings = await realSurroundings();
    started.defer(() => surroundings.stop());
    const env = { ...surroundings.env, ...limits, LOG_LEVEL: 'error', GATEWAY_OPERATOR_PORT: '0' };
    const environment = environmentOf({ ...machine, env });
    const migrated = await run(process.execPath, ['scripts/migrate.ts'], { quiet: true, env: environment });
    if (migrated.code !== 0) throw new Error(migrated.output);

    const ports = await freePorts(services.length * 2);
    const instances = [0, 1].flatMap((copy) =>
      services.map((service, place) =>
        instanceOf(service, ports[copy * services.length + place] as number, {
          ...environment,
          ...secretsOf(service),
          MARIMO_HOME: `${machine.home}/${service}-${copy}`,
        }),
      ),
    );
    const [gateways = [], others = []] = [true, false].map((isGateway) =>
      instances.filter(({ service }) => (service === 'gateway') === isGateway),
    );
    for (const some of [others, gateways]) {
      for (const instance of some) started.defer(() => instance.kill());
      await Promise.all(some.map((instance) => instance.start()));
    }
    return {
      origins: gateways.map(({ origin }) => origin),
      surroundings,
      instances,
      untilKnown: () => untilKnown(surroundings.consul.address),
      stop: () => started.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

/** Each process has no more than it needs: only users can open the keys and knows who else there is. */
function secretsOf(service: ServiceName): Record<string, string> {
  const internal = 'a-secret-of-this-test-alone-000001';
  if (service !== 'users') return { SERVICE_SECRET: serviceSecretOf(internal, service) };
  return { INTERNAL_SECRET: internal, JWT_SECRET: 'another-secret-of-this-test-000001' };
}

function instanceOf(service: ServiceName, port: number, env: NodeJS.ProcessEnv): ClusterInstance {
  const origin = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  const start = async () => {
    const args = ['--import', `${root}/scripts/start/end-with-parent.ts`, `services/${service}/main.ts`];
    child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...env, [`${service.toUpperCase()}_PORT`]: String(port) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    await untilReady(origin, child, service);
  };
  return {
    service,
    origin,
    start,
    kill: () => end('SIGKILL'),
    async replace() {
      await end('SIGTERM');
      await start();
    },
  };
}

async function untilReady(origin: string, child: ChildProcess, service: string): Promise<void> {
  // A gateway is ready only when the services behind it are, and they are started before it.
  for (let tries = 0; tries < 600; tries += 1) {
    if (child.exitCode !== null) throw new Error(`${service} ended while starting`);
    const answer = await fetch(`${origin}/ready`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return;
    await sleep(100);
  }
  throw new Error(`${service} did not become ready`);
}

async function untilKnown(consul: string): Promise<void> {
  for (const service of services) {
    let found: unknown;
    for (let tries = 0; ; tries += 1) {
      found = await passing(consul, service);
      if (Array.isArray(found) && found.length === 2) break;
      if (tries === 600) {
        const seen = found instanceof Error ? found.message : JSON.stringify(found);
        throw new Error(`Consul does not know both instances of ${service}: ${seen}`);
      }
      await sleep(100);
    }
  }
}

/** What Consul says, or why it does not: in its first moments it refuses connections, or has no leader. */
async function passing(consul: string, service: ServiceName): Promise<unknown> {
  try {
    const answer = await fetch(`http://${consul}/v1/health/service/${service}?passing`, {
      signal: AbortSignal.timeout(2_000),
    });
    return await answer.json();
  } catch (error) {
    return error;
  }
}
