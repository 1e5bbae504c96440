import { type RunningService, readSettings, startPlatform, startService } from '@marimo/service-kit';
import { explainAndExit } from './failures.ts';
import { refuseTakenPorts } from './free-ports.ts';
import { findServices } from './services.ts';
import { onceOnly, stopOnSignals } from './stopping.ts';

/** Everything in this process: the platform's parts once, then each service on its own port, the gateway last. */
export async function startOneProcess(): Promise<void> {
  const started = new AsyncDisposableStack(); // undone from the last step to the first
  const stop = onceOnly(() => started.disposeAsync());
  stopOnSignals(stop);
  try {
    const settings = readSettings(process.env);
    const services = await findServices();
    await refuseTakenPorts(services, settings);
    const platform = await startPlatform(settings);
    started.defer(() => platform.close());
    let gateway: RunningService | undefined;
    for (const service of services) {
      const running = await startService(service, platform);
      started.defer(() => running.stop());
      gateway = running; // the last one started
    }
    console.log(`Marimo ERP is ready at http://localhost:${gateway?.address.port}/  (stop with Ctrl-C)`);
    throw await platform.lost;
  } catch (error) {
    await stop();
    explainAndExit(error);
  }
}
