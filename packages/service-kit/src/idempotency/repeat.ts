/** Under which an answer is kept: a key belongs to one user and one route. */
export interface AnswerKey {
  readonly key: string;
  readonly userId: string;
  readonly route: string;
}

/** A request that may come again. */
export interface Repeat extends Omit<AnswerKey, 'key'> {
  /** Undefined where the caller sent none: then nothing is kept. */
  readonly key: string | undefined;
  /** Everything the caller sent that decides the effect, as plain JSON. */
  readonly content: unknown;
}
