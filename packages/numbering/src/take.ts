import type { NumberSeries } from '@marimo/contracts';
import type { TenantTransaction } from '@marimo/postgres';
import { frameOf, numberIn } from './pattern.ts';
import { getPattern, insertLanes, takeFromLane, takeNext } from './store.ts';

/** How many can have a number at the same moment where gaps are allowed. */
const lanesWithGaps = 16;

export function lanesOf({ gaps }: NumberSeries): number {
  return gaps === 'none' ? 1 : lanesWithGaps;
}

/**
 * Gives the next number of a series, in the period of the document's own date. Take it as the last thing in a short transaction:
 * in a series without gaps everybody else waits from here until it ends; rolled back, it gives the number back.
 *
 * Units: `day` is the document's date, `YYYY-MM-DD`.
 */
export async function takeNumber(tx: TenantTransaction, series: NumberSeries, day: string): Promise<string> {
  const { pattern } = (await getPattern(tx, series.name)) ?? series;
  const frame = frameOf(pattern, day);
  const counter =
    series.gaps === 'none'
      ? await takeNext(tx, series.name, frame)
      : await takeWithoutWaiting(tx, series, frame);
  return numberIn(pattern, frame, counter);
}

async function takeWithoutWaiting(
  tx: TenantTransaction,
  series: NumberSeries,
  frame: string,
): Promise<bigint> {
  const lanes = lanesOf(series);
  const taken = await takeFromLane(tx, series.name, frame, lanes);
  if (taken !== undefined) return taken;
  await insertLanes(tx, series.name, frame, lanes);
  return (await takeFromLane(tx, series.name, frame, lanes)) as bigint;
}
