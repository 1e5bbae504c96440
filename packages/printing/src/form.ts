export type Language = 'en' | 'ru';

/** A piece of a page, as pdfmake has it. */
export type Content = Readonly<Record<string, unknown>>;

/**
 * What a template makes of its data: one printed document. Plain data, because it is rendered in another thread; what depends on
 * pages is said in words and written there.
 */
export interface PrintedForm {
  /** Of the file and in the foot of each page: `Invoice INV-2026-000001`. */
  readonly title: string;
  readonly language: Language;
  /** The document's own day, `YYYY-MM-DD`: the file says that it was made then, so the same document is the same bytes. */
  readonly day: string;
  readonly content: readonly Content[];
  /** Printed below each page's share of a table that has page sums. */
  readonly pageSums?: PageSums;
}

/** What each marked row adds to the sum of its page; in minor units, as text because it travels between threads. */
export interface PageSums {
  readonly label: string;
  readonly currency: string;
  /** By the mark that a row carries in its first cell. */
  readonly minorByMark: Readonly<Record<string, string>>;
}

/** A pure function: the same data in the same language is the same form. */
export type Template<Data> = (data: Data, language: Language) => PrintedForm;
