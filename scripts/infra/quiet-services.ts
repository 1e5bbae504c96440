import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';

const policy = '/usr/sbin/policy-rc.d';
const refusal =
  '#!/bin/sh\n# by npm run infra, for the time of an installation: packages start no services\nexit 101\n';

/**
 * Debian's packages start what they install unless this policy says no; we want programs, not running servers.
 * RabbitMQ's starts Erlang's name daemon nevertheless, on all addresses, so that one is stopped.
 */
export async function withoutStartingServices(install: () => Promise<void>): Promise<void> {
  const isOurs = !existsSync(policy) || readFileSync(policy, 'utf8') === refusal; // ours: left by one that was killed
  if (isOurs) await writeFile(policy, refusal, { mode: 0o755 });
  const before = new Set(nameDaemons());
  try {
    await install();
  } finally {
    if (isOurs) await rm(policy, { force: true });
    for (const pid of nameDaemons()) if (!before.has(pid)) process.kill(pid);
  }
}

/** Erlang's name daemons that were started as the package does it; those of tests have a port of their own. */
function nameDaemons(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandOf(pid).endsWith('/epmd\0-daemon\0'))
    .map(Number);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}
