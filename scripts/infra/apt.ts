import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { findBinary } from '@marimo/testing/outside';

interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Told each line of file descriptor 3, where apt-get reports how far it is. */
  readonly status?: (line: string) => void;
}

/** Resolves with what the command printed; a failure is an error with the last thing it complained about. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', options.status === undefined ? 'ignore' : 'pipe'],
    });
    let printed = '';
    let complaint = '';
    child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    const report = child.stdio[3];
    if (options.status !== undefined && report)
      createInterface(report as Readable).on('line', options.status);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) return resolve(printed);
      const lastLine = complaint.trim().split('\n').at(-1) || `it ended with code ${code}`;
      reject(new Error(`${command} ${args[0] ?? ''}: ${lastLine}`));
    });
  });
}

interface AptOptions {
  readonly options?: readonly string[];
  readonly cwd?: string;
  /** Prints how far it is now and then. */
  readonly progress?: boolean;
}

export async function apt(
  args: readonly string[],
  { options = [], cwd, progress }: AptOptions = {},
): Promise<void> {
  const settings = [
    'DPkg::Lock::Timeout=300',
    'Dpkg::Use-Pty=0',
    ...(progress ? ['APT::Status-Fd=3'] : []),
    ...options,
  ];
  await run('apt-get', ['-q', ...settings.flatMap((setting) => ['-o', setting]), ...args], {
    env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    ...(cwd === undefined ? {} : { cwd }),
    ...(progress ? { status: progressPrinter() } : {}),
  });
}

/** apt's status lines are `dlstatus:package:percent:text` and `pmstatus:package:percent:text`; prints each fifth. */
function progressPrinter(): (line: string) => void {
  const phases: Readonly<Record<string, string>> = { dlstatus: 'downloading', pmstatus: 'installing' };
  let printed = '';
  return (line) => {
    const [kind = '', , percent] = line.split(':');
    const phase = phases[kind];
    if (phase === undefined) return;
    const step = `  ${phase}: ${Math.floor(Number(percent) / 20) * 20} %`;
    if (step !== printed) console.log(step);
    printed = step;
  };
}

/** One of us at a time on this machine: apt waits for a lock of dpkg's, but fails at once on that of its lists. */
export async function withAptLock<T>(work: () => Promise<T>): Promise<T> {
  const flock = findBinary('flock');
  if (flock === undefined || process.getuid?.() !== 0) return work(); // others work in folders of their own
  const holder = spawn(flock, ['--timeout', '900', '/run/marimo-infra.lock', 'sh', '-c', 'echo held; cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = setTimeout(() => console.log('Waiting for another installation to end …'), 2_000);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.once('error', reject);
      holder.once('exit', () => reject(new Error('another installation did not end within 15 minutes')));
    });
    clearTimeout(waiting);
    return await work();
  } finally {
    clearTimeout(waiting);
    holder.stdin.end();
  }
}
