import { once } from 'node:events';
import { createServer } from 'node:net';
import { PortTaken, type ServiceDefinition, type Settings } from '@marimo/service-kit';

/** Looks at all ports before anything is started, so that a taken one leaves nothing half done. */
export async function refuseTakenPorts(
  services: readonly ServiceDefinition[],
  { host, ports }: Settings,
): Promise<void> {
  const taken = await Promise.all(
    services.map(async ({ name }) => {
      if (await isFree(host, ports[name])) return [];
      return [
        `port ${ports[name]} of ${name} is taken; stop what listens there or set ${name.toUpperCase()}_PORT`,
      ];
    }),
  );
  if (taken.flat().length > 0) throw new PortTaken(taken.flat().join('; '));
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
