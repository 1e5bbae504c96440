import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import {
  findBinary,
  type PrivateProcess,
  type ProcessOptions,
  startPrivateProcess,
} from '@marimo/testing/outside';

/** Core 0 makes the load and answers it; core 1 belongs to what is measured. */
export const loadCore = 0;
export const measuredCore = 1;

/** Whether processes can be kept to a core, without which they compete with their own load. */
export const canPin = availableParallelism() > 1 && findBinary('taskset') !== undefined;

export function onCore(core: number, command: readonly string[]): readonly string[] {
  return canPin ? ['taskset', '--cpu-list', String(core), ...command] : command;
}

/** A process kept to one core, whose output nobody reads: reading it would be load as well. */
export function startOnCore(
  core: number,
  command: readonly string[],
  options: Omit<ProcessOptions, 'binary' | 'args'>,
): Promise<PrivateProcess> {
  const silently = ['-c', 'exec "$@" > /dev/null', 'sh', ...onCore(core, command)];
  return startPrivateProcess({ ...options, binary: 'sh', args: silently });
}

const ticksPerSecond = 100; // fixed for user space on Linux

/** Seconds of processor time that the process has used so far, in all its threads. */
export function cpuSeconds(pid: number): number {
  const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '';
  const fields = afterName.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
