export type MeasureProblem =
  | 'malformed' // not decimal text as we write it
  | 'too-precise' // more decimals than the currency or the measure has
  | 'out-of-range' // would not fit the database
  | 'unknown-currency'
  | 'unknown-unit'
  | 'unlike' // two currencies, or units that do not convert into each other
  | 'not-shareable'; // nothing to share by

/** A measure that cannot be read or cannot be combined; the message is fit for the person who wrote it. */
export class MeasureError extends Error {
  readonly problem: MeasureProblem;

  constructor(problem: MeasureProblem, message: string) {
    super(message);
    this.name = 'MeasureError';
    this.problem = problem;
  }
}
