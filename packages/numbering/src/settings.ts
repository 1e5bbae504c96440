import {
  type NumberSeries,
  type NumberSeriesChange,
  type NumberSeriesState,
  NumbersWouldHaveGap,
  NumbersWouldRepeat,
} from '@marimo/contracts';
import type { TenantTransaction } from '@marimo/postgres';
import { findRepeated, frameOf, numberIn } from './pattern.ts';
import {
  getCounter,
  getPattern,
  insertLanes,
  listUsedFrames,
  lockLanes,
  lockPattern,
  updateNext,
  updatePattern,
} from './store.ts';
import { lanesOf } from './take.ts';

/** The series as the organisation has it, and what a document of that day would get. */
export async function findNumberSeries(
  tx: TenantTransaction,
  series: NumberSeries,
  day: string,
): Promise<NumberSeriesState> {
  const { pattern, version } = (await getPattern(tx, series.name)) ?? { ...series, version: 0 };
  const frame = frameOf(pattern, day);
  const { next } = await getCounter(tx, series.name, frame, lanesOf(series));
  return {
    series: series.name,
    text: series.text,
    pattern,
    usualPattern: series.pattern,
    gaps: series.gaps,
    next: numberIn(pattern, frame, next),
    version,
  };
}

export interface NumberSeriesPatch {
  readonly pattern?: string | undefined;
  readonly next?: { readonly date: string; readonly counter: number } | undefined;
}

export interface ChangeOfSeries extends NumberSeriesPatch {
  readonly by: string;
  readonly at: Date;
  /** Throws when the present version is not the one that the caller knows. */
  requireVersion(version: number): void;
}

/**
 * Sets the pattern and the next number; undefined when nothing is different.
 *
 * Errors: NumbersWouldRepeat, NumbersWouldHaveGap.
 */
export async function changeNumberSeries(
  tx: TenantTransaction,
  series: NumberSeries,
  { pattern: wanted, next, by, at, requireVersion }: ChangeOfSeries,
): Promise<NumberSeriesChange | undefined> {
  const present = await lockPattern(tx, series.name, series.pattern);
  requireVersion(present.version);
  const pattern = wanted ?? present.pattern;
  if (pattern !== present.pattern) await requireOtherNumbers(tx, series, pattern);
  const number = next === undefined ? null : await setNext(tx, series, pattern, next);
  if (pattern === present.pattern && number === null) return undefined;
  const change = { series: series.name, version: present.version + 1, at, by, pattern, next: number };
  await updatePattern(tx, change);
  return change;
}

async function requireOtherNumbers(
  tx: TenantTransaction,
  { name }: NumberSeries,
  pattern: string,
): Promise<void> {
  const used = await listUsedFrames(tx, name);
  const repeated = findRepeated(
    pattern,
    used.map(({ frame }) => frame),
  );
  const given = used.find(({ frame }) => frame === repeated);
  if (given !== undefined)
    throw new NumbersWouldRepeat({ number: numberIn(pattern, given.frame, given.last) });
}

/** The number that comes next from now on; null when it would have come anyway. */
async function setNext(
  tx: TenantTransaction,
  series: NumberSeries,
  pattern: string,
  { date, counter }: { readonly date: string; readonly counter: number },
): Promise<string | null> {
  const { name } = series;
  const [frame, lanes] = [frameOf(pattern, date), lanesOf(series)];
  await insertLanes(tx, name, frame, lanes);
  await lockLanes(tx, name, frame);
  const { last, next } = await getCounter(tx, name, frame, lanes);
  if (next === BigInt(counter)) return null;
  if (last !== null) {
    const number = numberIn(pattern, frame, last);
    if (counter <= last) throw new NumbersWouldRepeat({ number });
    if (series.gaps === 'none') throw new NumbersWouldHaveGap({ number });
  }
  await updateNext(tx, name, frame, counter, lanes);
  return numberIn(pattern, frame, BigInt(counter));
}
