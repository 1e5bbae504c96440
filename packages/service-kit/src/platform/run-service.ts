import type { ServiceDefinition } from '../service.ts';
import { readSettings, SettingsInvalid } from '../settings/read-settings.ts';
import { PortTaken } from './serve.ts';
import { startPlatform } from './start-platform.ts';
import { startService } from './start-service.ts';

/**
 * The whole of a `main.ts`: starts one service in this process by what the environment says, and stops it when the
 * process is asked to end. Exit codes, after sysexits.h: 78 broken settings, 69 port taken, 1 any other failure.
 */
export async function runService(definition: ServiceDefinition): Promise<void> {
  const asked = askedToStop();
  const started = new AsyncDisposableStack();
  let code = 0;
  try {
    const settings = readSettings(process.env);
    const platform = await startPlatform(settings, { withDatabase: definition.migrations !== undefined });
    started.defer(() => platform.close());
    const service = await startService(definition, platform);
    started.defer(() => service.stop());
    const failure = await Promise.race([asked, platform.lost]);
    if (failure !== undefined) throw failure;
  } catch (error) {
    code = explain(definition.name, error);
  }
  await started.disposeAsync().catch((error: unknown) => {
    code = explain(definition.name, error);
  });
  process.exit(code);
}

/** Resolves at the first signal; the second does not wait. A signal during the start stops right after it. */
function askedToStop(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  const onSignal = () => {
    if (asked) process.exit(130);
    asked = true;
    resolve();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return promise;
}

/** In plain words, for whoever started it; a log may be silent or far away. */
function explain(service: string, error: unknown): number {
  const expected = error instanceof SettingsInvalid || error instanceof PortTaken;
  const text =
    error instanceof Error ? (expected ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`${service} could not go on: ${text}\n`);
  if (error instanceof SettingsInvalid) return 78;
  return error instanceof PortTaken ? 69 : 1;
}
