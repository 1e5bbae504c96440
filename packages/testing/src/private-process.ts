import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { findBinary } from './binaries.ts';

/** A program that belongs to one test: on ports of its own, stopped by its process id. */
export interface PrivateProcess {
  readonly pid: number;
  /** Ends it as a crash would (SIGKILL) and waits until its ports are free. */
  kill(): Promise<void>;
  /** Starts it once more, on the same ports and with the data it kept. */
  restart(): Promise<void>;
  /** A hung program: it still accepts connections and answers nothing. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly binary: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it can be used now; asked every 25 ms. */
  readonly isReady: () => Promise<boolean>;
  readonly startWithinMs?: number;
  /** Removes what it wrote, once it has stopped. */
  readonly cleanUp?: () => Promise<void>;
}

export async function startPrivateProcess(options: ProcessOptions): Promise<PrivateProcess> {
  let child = await start(options);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGCONT');
    child.kill(signal);
    await once(child, 'exit');
  };
  return {
    get pid() {
      return child.pid as number;
    },
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGTERM');
      await options.cleanUp?.();
    },
    async restart() {
      await end('SIGKILL');
      child = await start(options);
    },
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
  };
}

async function start(options: ProcessOptions): Promise<ChildProcess> {
  const file = findBinary(options.binary);
  if (file === undefined) throw new Error(`${options.binary} is not on this machine: run npm run infra`);
  const child = spawn(file, options.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  endWithUs(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said = (said + chunk).slice(-2_000);
    });
  }

  const giveUpAt = Date.now() + (options.startWithinMs ?? 20_000);
  while (!(await options.isReady().catch(() => false))) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || Date.now() > giveUpAt) {
      child.kill('SIGKILL');
      throw new Error(`${options.binary} did not start: ${said}`);
    }
    await sleep(25);
  }
  return child;
}

/** Nothing may outlive a test run that was killed; a shell that loses its input notices our end, however it came. */
function endWithUs(child: ChildProcess): void {
  const guard = spawn('sh', ['-c', 'cat > /dev/null; kill -9 "$0"', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.once('exit', () => {
    guard.kill('SIGKILL');
    guard.stdin.destroy();
  });
}
