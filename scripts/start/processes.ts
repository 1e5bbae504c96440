import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from '@marimo/observability';
import { hostOf, startEmbeddedServer } from '@marimo/postgres';
import { readSettings, runUntilAsked, type ServiceDefinition, type Settings } from '@marimo/service-kit';
import { root } from '../steps/run.ts';
import { refuseTakenPorts } from './free-ports.ts';
import { findServices } from './services.ts';

/** One process per service, started, watched and started again by this one, which holds the embedded database. */
export function startProcesses(): Promise<never> {
  return runUntilAsked('Marimo ERP', async (started) => {
    const services = await findServices();
    // Each child gets this environment as it is.
    const settings = readSettings(process.env, services);
    await refuseTakenPorts(services, settings);
    const lost = Promise.withResolvers<Error>();
    const env =
      settings.database === undefined ? await embeddedDatabase(settings, started, lost.resolve) : {};
    let isUp = false;
    for (const service of services) {
      const watched = keepRunning(service, env, { mayRestart: () => isUp, giveUp: lost.resolve });
      started.defer(watched.stop);
    }
    const origin = `http://localhost:${settings.ports.gateway}`;
    const failure = await Promise.race([untilReady(origin), lost.promise]);
    if (failure !== undefined) throw failure;
    isUp = true;
    console.log(`Marimo ERP is ready at ${origin}/  (stop with Ctrl-C)`);
    return { lost: lost.promise };
  });
}

async function embeddedDatabase(
  settings: Settings,
  started: AsyncDisposableStack,
  giveUp: (reason: Error) => void,
): Promise<Record<string, string>> {
  const { server, exited, stop } = await startEmbeddedServer({
    directory: join(settings.home, 'postgres'),
    log: createLog({ service: 'start', level: settings.logLevel }),
    onProgress: (message) => console.log(`${message} …`),
  });
  started.defer(stop);
  void exited.then((reason) => giveUp(new Error(`the embedded database has ended by itself: ${reason}`)));
  return {
    DB_HOST: hostOf(server),
    DB_PORT: String(server.port),
    DB_USER: server.user,
    DB_PASSWORD: server.password,
    DB_NAME: server.database,
  };
}

interface Watch {
  readonly mayRestart: () => boolean;
  readonly giveUp: (reason: Error) => void;
}

/**
 * A service that ends without being asked is started again, after a second, then two, at most thirty. One that ends
 * before all are up would only do so again: that ends everything.
 */
function keepRunning(
  { name }: ServiceDefinition,
  env: Record<string, string>,
  { mayRestart, giveUp }: Watch,
) {
  let child: ChildProcess;
  let stopping = false;
  let pauseMs = 1_000;

  const start = () => {
    const startedAt = Date.now();
    const preload = join(root, 'scripts/start/end-with-parent.ts');
    child = spawn(process.execPath, ['--import', preload, `services/${name}/main.ts`], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true, // Ctrl-C is for the starter, which stops the services in order
    });
    child.once('exit', (code, signal) => {
      if (stopping) return;
      if (!mayRestart()) {
        return giveUp(new Error(`${name} could not start (${signal ?? code}); what it said stands above`));
      }
      if (Date.now() - startedAt > 60_000) pauseMs = 1_000;
      console.error(`${name} ended (${signal ?? code}); starting it again in ${pauseMs / 1_000} s`);
      setTimeout(() => stopping || start(), pauseMs);
      pauseMs = Math.min(pauseMs * 2, 30_000);
    });
  };
  start();
  return {
    async stop() {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function untilReady(origin: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${origin}/ready`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await sleep(100);
  }
}
