import type { ServiceDefinition } from '../service.ts';
import { readSettings } from '../settings/read-settings.ts';
import { runUntilAsked } from './run-until-asked.ts';
import { startPlatform } from './start-platform.ts';
import { startService } from './start-service.ts';

/** The whole of a `main.ts`: starts one service in this process by what the environment says. */
export function runService(definition: ServiceDefinition): Promise<never> {
  return runUntilAsked(definition.name, async (started) => {
    const settings = readSettings(process.env, [definition]);
    const platform = await startPlatform(settings, { withDatabase: definition.migrations !== undefined });
    started.defer(() => platform.close());
    const service = await startService(definition, platform);
    started.defer(() => service.stop());
    return platform;
  });
}
