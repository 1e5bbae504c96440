import { type ImportMode, mostRefusedDescribed } from '@marimo/contracts';
import { type Problem, type Refusal, toProblem } from '@marimo/problems';

export interface RefusedRow {
  readonly line: number;
  /** What the row calls itself, if that could be read. */
  readonly key: string | null;
  readonly problem: Problem;
}

/** What became of the rows of a file so far. */
export interface ImportReport {
  accepted: number;
  repeated: number;
  readonly refusedTotal: number;
  refuse(row: number, key: unknown, refusal: Refusal): void;
  /** All of it, in the order of the file; where all or nothing was asked for, a refusal means that none was accepted. */
  result(mode: ImportMode): {
    accepted: number;
    repeated: number;
    refused: RefusedRow[];
    refusedTotal: number;
  };
}

export function startReport(): ImportReport {
  const refused: RefusedRow[] = [];
  let refusedTotal = 0;
  return {
    accepted: 0,
    repeated: 0,
    get refusedTotal() {
      return refusedTotal;
    },
    refuse(row, key, refusal) {
      refusedTotal += 1;
      if (refused.length >= mostRefusedDescribed) return;
      const shown = typeof key === 'string' ? key.slice(0, 100) : null;
      refused.push({ line: row, key: shown, problem: toProblem(refusal) });
    },
    result(mode) {
      const { accepted, repeated } = this;
      const none = mode === 'all-or-nothing' && refusedTotal > 0;
      return {
        accepted: none ? 0 : accepted,
        repeated,
        refused: refused.toSorted((a, b) => a.line - b.line),
        refusedTotal,
      };
    },
  };
}
