import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinary } from './binaries.ts';
import { freePorts } from './free-ports.ts';
import { type PrivateProcess, startPrivateProcess } from './private-process.ts';

export interface PrivateRabbitmq extends PrivateProcess {
  /** As `RABBITMQ_URL` has it. */
  readonly url: string;
  /** `host:port`, for a fault proxy in front of it. */
  readonly address: string;
}

/** Debian's program of this name changes the user first; this is the script behind it, which runs as anyone. */
const debianScript = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** A RabbitMQ of this test alone; what is on its disk outlives `kill()` and `restart()`. Takes some 5 s to start. */
export async function startRabbitmq(): Promise<PrivateRabbitmq> {
  const [port, nodePort, namesPort] = (await freePorts(3)) as [number, number, number];
  const folder = await mkdtemp(join(tmpdir(), 'marimo-rabbitmq-'));
  await writeFile(join(folder, 'rabbitmq.conf'), configuration(port));
  await writeFile(join(folder, 'plugins'), '[].');

  // The node would leave a name daemon behind; it takes this one, which ends with the test.
  const names = await startPrivateProcess({
    binary: 'epmd',
    args: ['-port', String(namesPort), '-address', '127.0.0.1'],
    isReady: () => listens(namesPort),
  });
  const broker = await startPrivateProcess({
    binary: 'sh',
    args: [
      '-c',
      'exec "$0"',
      existsSync(debianScript) ? debianScript : (findBinary('rabbitmq-server') ?? ''),
    ],
    env: environment(folder, nodePort, namesPort),
    isReady: () => listens(port),
    startWithinMs: 60_000,
    cleanUp: async () => {
      await names.kill();
      await rm(folder, { recursive: true, force: true });
    },
  });
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    address: `127.0.0.1:${port}`,
    get pid() {
      return broker.pid;
    },
    kill: () => broker.kill(),
    restart: () => broker.restart(),
    pause: () => broker.pause(),
    resume: () => broker.resume(),
    async stop() {
      await broker.kill(); // an orderly end takes seconds, and nobody needs what is on its disk
      await broker.stop();
    },
  };
}

function configuration(port: number): string {
  return [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    'log.console = true',
    'log.console.level = error',
    'log.file = false',
    // A machine of tests may have little room; the alarm would block every publisher.
    'disk_free_limit.absolute = 50MB',
    '',
  ].join('\n');
}

function environment(folder: string, nodePort: number, namesPort: number): Record<string, string> {
  const loopbackOnly = '-kernel inet_dist_use_interface {127,0,0,1}';
  return {
    HOME: folder, // where the node's cookie goes
    // Makes the script become the broker instead of a shell that waits for it, so that its pid is the broker's.
    RUNNING_UNDER_SYSTEMD: '1',
    RABBITMQ_NODENAME: `test${nodePort}@localhost`,
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_DIST_PORT: String(nodePort),
    ERL_EPMD_PORT: String(namesPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    // One scheduler that does not spin: the machine belongs to the tests.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `${loopbackOnly} +S 1:1 +sbwt none`,
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
