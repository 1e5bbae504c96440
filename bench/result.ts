/** What a benchmark found: a table whose figures were all taken in one run, so that their ratios mean something. */
export interface Result {
  readonly title: string;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
  /** What a reader must know to judge the figures. */
  readonly notes?: readonly string[];
}
