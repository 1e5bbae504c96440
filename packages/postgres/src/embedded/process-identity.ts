import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Tells a process from a later one with the same number, by when it started; undefined when it is gone. */
export async function identityOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') {
      // The name in parentheses may hold spaces; the start time is the 20th field after it.
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    }
    const { stdout } = await run('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim().replaceAll(/\s+/g, '-') || undefined;
  } catch {
    return undefined;
  }
}

/** Whether the process works on this data directory: the server's main process stands in it. */
export async function servesDirectory(pid: number, data: string): Promise<boolean> {
  try {
    if (process.platform === 'linux') return (await readlink(`/proc/${pid}/cwd`)) === data;
    return (await run('ps', ['-o', 'command=', '-p', String(pid)])).stdout.includes(data);
  } catch {
    return false;
  }
}
