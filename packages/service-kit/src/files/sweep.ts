import { type SweepOptions, sweepFiles, sweepObjects } from '@marimo/files';
import { runPeriodically } from '@marimo/observability';

const hourMs = 60 * 60_000;
/** How long a file may lie without a reference, and longer than any upload takes. */
const unneededMs = 24 * hourMs;

/** Sweeps the files of a service; looking through its whole store is more work and rarer. Returns what stops it. */
export function startSweeping(options: SweepOptions, clock: () => Date): () => Promise<void> {
  const before = () => new Date(clock().getTime() - unneededMs);
  const { log } = options;
  const stops = [
    runPeriodically({ name: 'sweeping files', pauseMs: hourMs, log }, () => sweepFiles(options, before())),
    runPeriodically({ name: 'sweeping stored objects', pauseMs: 6 * hourMs, log }, () =>
      sweepObjects(options, before()),
    ),
  ];
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}
