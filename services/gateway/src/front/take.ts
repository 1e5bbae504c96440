import type { IncomingMessage, ServerResponse } from 'node:http';
import { Passage } from '../passage.ts';
import { requestIdOf } from '../request-id.ts';
import type { FrontParts } from './front.ts';

type Parts = Pick<FrontParts, 'handle' | 'record' | 'draining' | 'fail'>;

/** Makes a passage of a request, which is recorded when it is over. */
export function takeRequest(
  { draining, record }: Parts,
  req: IncomingMessage,
  res: ServerResponse,
  awaitsContinue: boolean,
): Passage {
  const passage = new Passage(req, res, requestIdOf(req), awaitsContinue);
  // In HTTP/2 a GOAWAY says it, once for the connection.
  if (draining() && req.httpVersionMajor === 1) passage.ownHeaders.push('connection', 'close');
  res.on('close', () => {
    passage.end();
    record(passage);
  });
  return passage;
}

export function beginPassage({ handle, fail }: Parts, passage: Passage): void {
  handle(passage).catch((thrown: unknown) => fail(passage, thrown));
}
