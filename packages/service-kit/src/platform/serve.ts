import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceName } from '@marimo/contracts';
import { listen } from '../http/listen.ts';
import type { Settings } from '../settings/settings.ts';
import type { ServiceServer } from './server-of.ts';

interface ServeOptions extends Pick<ServiceServer, 'server' | 'drain'> {
  readonly service: ServiceName;
  readonly settings: Settings;
}

export interface Served {
  readonly address: AddressInfo;
  stop(): Promise<void>;
}

/** The port is not ours to have: another program holds it, or it needs more rights. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

export async function serve({ service, settings, server, drain }: ServeOptions): Promise<Served> {
  const { host, drainMs, consulAddress } = settings;
  const port = settings.ports[service];
  const listening = await listen(server, port, host).catch((error: NodeJS.ErrnoException) => {
    const place = `${host}:${port}`;
    const remedy = `set ${service.toUpperCase()}_PORT to another port`;
    if (error.code === 'EADDRINUSE')
      throw new PortTaken(`${service}: ${place} is taken; stop who has it, or ${remedy}`);
    if (error.code === 'EACCES')
      throw new PortTaken(`${service}: listening on ${place} needs more rights; ${remedy}`);
    throw error;
  });
  return {
    address: listening.address,
    async stop() {
      drain();
      // Requests are on their way that were sent before the news came, and Consul's news itself travels.
      const graceMs = Math.min(consulAddress === undefined ? 100 : 1_000, drainMs / 4);
      await pause(graceMs);
      await listening.close(drainMs - graceMs);
    },
  };
}
