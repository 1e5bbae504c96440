import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface ProgramToKill {
  readonly program: URL;
  /** What it is to do: plain data, which it finds in `CRASH_ORDER`. */
  readonly order: object;
  /** `place:n`, as `MARIMO_FAILPOINT` has it. */
  readonly failpoint: string;
}

/**
 * Runs a program until it comes by the place where it is killed. Returns the lines that it had printed, one for each thing
 * that it had acknowledged. Throws when it ends in another way, or not at all.
 */
export async function runUntilKilled({ program, order, failpoint }: ProgramToKill): Promise<string[]> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', fileURLToPath(program)], {
    env: { ...process.env, CRASH_ORDER: JSON.stringify(order), MARIMO_FAILPOINT: failpoint },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const giveUp = setTimeout(() => child.kill('SIGTERM'), 45_000);
  const [code, signal] = await once(child, 'close');
  clearTimeout(giveUp);
  if (signal !== 'SIGKILL')
    throw new Error(`It was not killed at ${failpoint}: it ended with ${signal ?? code}`);
  return printed.split('\n').filter(Boolean);
}
