import { freePorts } from './free-ports.ts';
import { type PrivateProcess, startPrivateProcess } from './private-process.ts';

export interface PrivateConsul extends PrivateProcess {
  /** As `CONSUL_ADDR` has it. */
  readonly address: string;
}

/** A Consul agent of this test alone, in memory: a restarted one has forgotten every service. */
export async function startConsul(): Promise<PrivateConsul> {
  const [http, server, lan] = (await freePorts(3)) as [number, number, number];
  const ports = `ports { http = ${http}, server = ${server}, serf_lan = ${lan}, serf_wan = -1, dns = -1, grpc = -1 }`;
  const consul = await startPrivateProcess({
    binary: 'consul',
    args: [
      'agent',
      '-dev',
      '-bind=127.0.0.1',
      '-client=127.0.0.1',
      `-node=test-${http}`,
      '-disable-host-node-id',
      '-log-level=err',
      `-hcl=disable_update_check = true, ${ports}`,
    ],
    isReady: () => hasLeader(http),
  });
  return Object.assign(consul, { address: `127.0.0.1:${http}` });
}

/** Registrations made before there is a leader are refused or lost. */
async function hasLeader(port: number): Promise<boolean> {
  const reply = await fetch(`http://127.0.0.1:${port}/v1/status/leader`, {
    signal: AbortSignal.timeout(500),
  });
  return reply.ok && (await reply.text()).includes(':');
}
