import { PortTaken, SettingsInvalid } from '@marimo/service-kit';

/** After sysexits.h: what a supervisor can tell apart. */
export const exitCodes = { brokenSettings: 78, unavailable: 69, failed: 1 } as const;

/** Says in plain words what stopped us, and ends with the code that tells a script the same. */
export function explainAndExit(failure: unknown): never {
  const message = failure instanceof Error ? failure.message : String(failure);
  console.error(`\nMarimo ERP could not go on: ${message}`);
  // A defect of ours, not of the surroundings: whoever reports it needs to say where.
  if (failure instanceof TypeError || failure instanceof RangeError) console.error(failure.stack);
  process.exit(exitCodeOf(failure));
}

function exitCodeOf(failure: unknown): number {
  if (failure instanceof SettingsInvalid) return exitCodes.brokenSettings;
  if (failure instanceof PortTaken) return exitCodes.unavailable;
  return exitCodes.failed;
}
