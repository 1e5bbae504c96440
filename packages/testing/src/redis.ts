import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { type PrivateProcess, startPrivateProcess } from './private-process.ts';

export interface PrivateRedis extends PrivateProcess {
  /** As `REDIS_ADDR` has it. */
  readonly address: string;
}

/** A Redis of this test alone; it keeps nothing, so a restarted one is empty. */
export async function startRedis({ password }: { password?: string } = {}): Promise<PrivateRedis> {
  const [port] = (await freePorts(1)) as [number];
  const folder = await mkdtemp(join(tmpdir(), 'marimo-redis-'));
  const privacy = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', ''];
  const secret = password === undefined ? [] : ['--requirepass', password];
  const redis = await startPrivateProcess({
    binary: 'redis-server',
    args: [...privacy, ...secret],
    isReady: () => answers(port),
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
  return Object.assign(redis, { address: `127.0.0.1:${port}` });
}

/** `+PONG`, or `-NOAUTH` where a password is asked for: both come from a Redis that serves. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(500, () => socket.destroy());
    socket.once('data', (reply) => {
      resolve(/^(\+PONG|-NOAUTH)/.test(String(reply)));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
