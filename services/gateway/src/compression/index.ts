import type { IncomingMessage, ServerResponse } from 'node:http';
import { codingFor } from './codings.ts';
import { encodeAnswer } from './encode-answer.ts';

export { codingFor } from './codings.ts';

/** Compresses the answer that is about to come, if the client can read that; not for one that may hold a secret. */
export function compressFor({ method, headers, httpVersion }: IncomingMessage, res: ServerResponse): void {
  const accepted = headers['accept-encoding'];
  if (accepted === undefined || method === 'HEAD' || httpVersion === '1.0') return;
  const coding = codingFor(accepted);
  if (coding !== 'identity') encodeAnswer(res, coding);
}
