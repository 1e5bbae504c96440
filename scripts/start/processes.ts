import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from '@marimo/observability';
import { startEmbeddedServer } from '@marimo/postgres';
import { readSettings, type ServiceDefinition, type Settings } from '@marimo/service-kit';
import { root } from '../steps/run.ts';
import { exitCodes, explainAndExit } from './failures.ts';
import { refuseTakenPorts } from './free-ports.ts';
import { findServices } from './services.ts';
import { onceOnly, stopOnSignals } from './stopping.ts';

/** One process per service, started, watched and started again by this one, which holds the embedded database. */
export async function startProcesses(): Promise<void> {
  const started = new AsyncDisposableStack();
  const stop = onceOnly(() => started.disposeAsync());
  stopOnSignals(stop);
  try {
    const settings = readSettings(process.env);
    const services = await findServices();
    await refuseTakenPorts(services, settings);
    const env = settings.database === undefined ? await embeddedDatabase(settings, started) : {};
    const broken = Promise.withResolvers<never>();
    let isUp = false;
    for (const service of services) {
      const watched = keepRunning(service, env, { mayRestart: () => isUp, giveUp: broken.reject });
      started.defer(watched.stop);
    }
    const origin = `http://localhost:${settings.ports.gateway}`;
    await Promise.race([untilReady(origin), broken.promise]);
    isUp = true;
    console.log(`Marimo ERP is ready at ${origin}/  (stop with Ctrl-C)`);
    await broken.promise;
  } catch (error) {
    await stop();
    explainAndExit(error);
  }
}

async function embeddedDatabase(
  settings: Settings,
  started: AsyncDisposableStack,
): Promise<Record<string, string>> {
  const { server, stop } = await startEmbeddedServer({
    directory: join(settings.home, 'postgres'),
    log: createLog({ service: 'start', level: settings.logLevel }),
    onProgress: (message) => console.log(`${message} …`),
  });
  started.defer(stop);
  return {
    DB_HOST: server.host,
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
 * before all are up, or says that its settings are broken, would only do so again: that ends everything.
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
      if (code === exitCodes.brokenSettings || !mayRestart()) {
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
