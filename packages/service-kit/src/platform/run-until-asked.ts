import { SettingsInvalid } from '../settings/settings-invalid.ts';
import { PortTaken } from './serve.ts';

/**
 * Runs what `start` starts until the process is asked to end or a part is lost, then stops it from the last to the
 * first and ends the process. `start` puts what it starts on the stack and resolves with what tells of a loss, or with
 * `done` when it was only a command.
 * Exit codes, after sysexits.h: 0 asked to end, 78 broken settings, 69 port taken, 130 asked twice, 1 anything else.
 */
export async function runUntilAsked(
  name: string,
  start: (started: AsyncDisposableStack) => Promise<{ lost: Promise<Error> } | 'done'>,
): Promise<never> {
  const asked = askedToStop();
  const started = new AsyncDisposableStack();
  let code = 0;
  try {
    const running = await start(started);
    const failure = running === 'done' ? undefined : await Promise.race([asked, running.lost]);
    if (failure !== undefined) throw failure;
  } catch (error) {
    code = explain(name, error);
  }
  await started.disposeAsync().catch((error: unknown) => {
    code = explain(name, error);
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

/** In plain words, for whoever started it; a log may be silent or far away. A defect of ours also says where. */
function explain(name: string, error: unknown): number {
  const isDefect =
    error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  const text = error instanceof Error ? (isDefect && error.stack) || error.message : String(error);
  process.stderr.write(`\n${name} could not go on: ${text}\n`);
  if (error instanceof SettingsInvalid) return 78;
  return error instanceof PortTaken ? 69 : 1;
}
