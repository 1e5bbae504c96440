import { readSettings, runUntilAsked, startPlatform, startService } from '@marimo/service-kit';
import { refuseTakenPorts } from './free-ports.ts';
import { findServices } from './services.ts';

/** Everything in this process: the platform's parts once, then each service on its own port, the gateway last. */
export function startOneProcess(): Promise<never> {
  return runUntilAsked('Marimo ERP', async (started) => {
    const services = await findServices();
    const settings = readSettings(process.env, services);
    await refuseTakenPorts(services, settings);
    const platform = await startPlatform(settings);
    started.defer(() => platform.close());
    let { gateway } = settings.ports;
    for (const service of services) {
      const running = await startService(service, platform);
      started.defer(() => running.stop());
      if (service.name === 'gateway') gateway = running.address.port;
    }
    console.log(`Marimo ERP is ready at http://localhost:${gateway}/  (stop with Ctrl-C)`);
    return platform;
  });
}
