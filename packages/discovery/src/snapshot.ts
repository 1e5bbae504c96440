import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Instance } from './registry.ts';

/** The last known good instances of each service, one file each, so that a start without the registry can serve. */
export interface Snapshots {
  /** What was kept; nothing when there is no file or when it is broken. */
  read(service: string): readonly Instance[];
  write(service: string, instances: readonly Instance[]): Promise<void>;
}

export function snapshotsIn(directory: string): Snapshots {
  const fileOf = (service: string) => join(directory, `${encodeURIComponent(service)}.json`);
  return {
    read(service) {
      try {
        const kept: unknown = JSON.parse(readFileSync(fileOf(service), 'utf8'));
        return Array.isArray(kept) ? kept.filter(isInstance) : [];
      } catch {
        return [];
      }
    },
    async write(service, instances) {
      await mkdir(directory, { recursive: true });
      // Readers see the old file or the new one, never half of one; several processes may share the directory.
      const draft = `${fileOf(service)}.${process.pid}.tmp`;
      await writeFile(draft, JSON.stringify(instances, null, 2), { flush: true }); // or a power cut could leave it empty
      await rename(draft, fileOf(service));
    },
  };
}

/** Whether it can be called at all: one place nobody can connect to must not stand in the way of the others. */
export function isInstance(value: unknown): value is Instance {
  const { id, service, host, port, version, routesDigest = '' } = Object(value) as Record<string, unknown>;
  const texts = [id, service, version, routesDigest].every((text) => typeof text === 'string');
  return texts && isHost(host) && Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536;
}

function isHost(host: unknown): boolean {
  return typeof host === 'string' && (isIPv6(host) || /^[\w-]+(\.[\w-]+)*\.?$/.test(host));
}
