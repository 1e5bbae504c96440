import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { servicePorts } from '@marimo/contracts';
import { freePorts } from '@marimo/testing';
import { root } from '../steps/run.ts';

export interface RunningPlatform {
  readonly origin: string;
  readonly home: string;
  readonly child: ChildProcess;
  /** Everything it has printed so far. */
  output(): string;
  /** Ctrl-C; resolves with the exit code. */
  interrupt(): Promise<number | null>;
  kill(): Promise<void>;
}

export interface StartOptions {
  readonly home: string;
  readonly ports: Record<string, string>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A new user's machine: an empty home and ports nobody uses. */
export async function freshMachine(): Promise<{
  home: string;
  ports: Record<string, string>;
  remove(): void;
}> {
  const home = mkdtempSync(join(tmpdir(), 'marimo-'));
  const names = Object.keys(servicePorts);
  const free = await freePorts(names.length);
  const ports = Object.fromEntries(
    names.map((name, place) => [`${name.toUpperCase()}_PORT`, String(free[place])]),
  );
  ports['GATEWAY_OPERATOR_PORT'] = '0';
  return { home, ports, remove: () => rmSync(home, { recursive: true, force: true }) };
}

/** Starts the platform as `npm start` does and waits until the gateway says that everything behind it can serve. */
export async function startPlatformProcess(options: StartOptions): Promise<RunningPlatform> {
  const { home, ports, args = [] } = options;
  const child = spawn(process.execPath, ['scripts/start.ts', ...args], {
    cwd: root,
    env: environmentOf(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const origin = `http://127.0.0.1:${ports['GATEWAY_PORT']}`;
  const ended = async () => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child.exitCode;
  };
  await untilReady(origin, child, () => output);
  return {
    origin,
    home,
    child,
    output: () => output,
    interrupt: () => {
      child.kill('SIGINT');
      return ended();
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended();
    },
  };
}

async function untilReady(origin: string, child: ChildProcess, output: () => string): Promise<void> {
  const giveUpAt = Date.now() + 240_000;
  while (Date.now() < giveUpAt) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the platform ended while starting:\n${output()}`);
    const answer = await fetch(`${origin}/ready`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return;
    await sleep(100);
  }
  child.kill('SIGKILL');
  throw new Error(`the platform did not become ready:\n${output()}`);
}

/** The environment of the test run, without what would point the platform at somebody else's servers. */
export function environmentOf({ home, ports, env = {} }: StartOptions): NodeJS.ProcessEnv {
  const ours =
    /^(DB_|GATEWAY_|OPERATOR_TOKEN|RABBITMQ_|REDIS_|CONSUL_|OTEL_|SMTP_|JWT_SECRET|INTERNAL_SECRET|SERVICE_SECRET|PORTAL_URL|WEBAUTHN_|MARIMO_|NODE_ENV|LOG_LEVEL|JEST_)/;
  const rest = Object.entries(process.env).filter(([name]) => !ours.test(name));
  const patience = {
    // A busy machine is not an overload.
    SHED_LOOP_DELAY_MS: '60000',
    NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${new URL('./quick-passwords.ts', import.meta.url).href}`,
  };
  return { ...Object.fromEntries(rest), ...ports, ...patience, MARIMO_HOME: home, LOG_LEVEL: 'warn', ...env };
}
