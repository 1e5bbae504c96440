import type { IncomingMessage, ServerResponse } from 'node:http';
import { Passage } from '../passage.ts';
import { requestIdOf } from '../request-id.ts';
import type { FrontLimits } from './limits.ts';
import type { FrontParts } from './parts.ts';

export type TakeParts = Pick<FrontParts, 'handle' | 'record' | 'fail'> & Pick<FrontLimits, 'stallMs'>;

/** Makes a passage of a request, which is recorded when it is over. */
export function takeRequest(
  { record, stallMs }: TakeParts,
  req: IncomingMessage,
  res: ServerResponse,
  awaitsContinue: boolean,
): Passage {
  const passage = new Passage(req, res, requestIdOf(req), awaitsContinue, stallMs);
  res.on('close', () => {
    passage.end();
    record(passage);
  });
  return passage;
}

export function beginPassage({ handle, fail }: TakeParts, passage: Passage): void {
  handle(passage).catch((thrown: unknown) => fail(passage, thrown));
}
