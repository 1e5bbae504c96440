/** Collects the values of a statement while its text is written: `$1`, `$2`, and so on. */
export class Statement {
  readonly values: unknown[];

  constructor(...values: unknown[]) {
    this.values = values;
  }

  /** The placeholder of a value. */
  value(given: unknown, type?: string): string {
    this.values.push(given);
    return `$${this.values.length}${type === undefined ? '' : `::${type}`}`;
  }
}
