import type { Passage } from '../passage.ts';
import { codingFor } from './codings.ts';
import { encodeAnswer } from './encode-answer.ts';

export { codingFor } from './codings.ts';

/** Compresses the answer that is about to come, if the client can read that; not for one that may hold a secret. */
export function compressFor(passage: Passage): void {
  const { method, headers, httpVersion } = passage.req;
  const accepted = headers['accept-encoding'];
  if (accepted === undefined || method === 'HEAD' || httpVersion === '1.0') return;
  const coding = codingFor(accepted);
  if (coding !== 'identity') encodeAnswer(passage, coding);
}
